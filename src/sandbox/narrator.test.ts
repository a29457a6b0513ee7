import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { createObjectStore, type ObjectStore } from './cluster-api/object-store.ts';
import { resourceNamed } from './cluster-api/resources.ts';
import { describeChange, describeDoors } from './narrator.ts';

describe('what a sandbox says of changes', () => {
  const pods = resourceNamed('pods');
  let store: ObjectStore;
  let said: string[];
  beforeEach(() => {
    store = createObjectStore({ clock: createFakeClock(), random: createSeededRandom(1) });
    store.create(resourceNamed('namespaces'), { metadata: { name: 'default' } });
    said = [];
    store.subscribe((change) => said.push(...describeChange(change)));
  });

  const meta = (annotations: Record<string, string> = {}) => ({
    name: 'web',
    namespace: 'default',
    annotations,
  });

  it('tells of pods: created, annotated, deleted', () => {
    store.create(pods, { metadata: meta(), spec: {} });
    store.update(pods, { metadata: meta({ 'iam.amazonaws.com/role': 'reader', other: 'x' }), spec: {} });
    store.update(pods, { metadata: meta(), status: { podIP: '127.64.0.1' } }, { part: 'status' });
    store.delete(pods, 'default', 'web');
    assert.deepEqual(said, [
      'pod  default/web created',
      'pod  default/web iam.amazonaws.com/role: "reader"',
      'pod  default/web deleted',
    ]);
  });

  it('shows that an annotation went, and never an external id', () => {
    store.create(pods, { metadata: meta({ 'iam.amazonaws.com/external-id': 'S3CRET' }), spec: {} });
    store.update(pods, { metadata: meta(), spec: {} });
    assert.doesNotMatch(said.join('\n'), /S3CRET/);
    assert.equal(said.filter((line) => line.includes('external-id')).length, 2);
  });

  it('repeats events, and leaves out what podpass does not look at', () => {
    const involvedObject = { namespace: 'default', name: 'web' };
    const event = {
      metadata: { name: 'e', namespace: 'default' },
      involvedObject,
      reason: 'KiamRoleForbidden',
      message: 'no',
    };
    store.create(resourceNamed('events'), event);
    store.create(resourceNamed('configmaps'), { metadata: { name: 'c', namespace: 'default' } });
    assert.deepEqual(said, ['event  default/web KiamRoleForbidden: no']);
  });

  it('names the endpoints of a pod', () => {
    const pod = { uid: 'u', namespace: 'default', name: 'web', address: '127.64.0.1' };
    assert.match(
      describeDoors({
        pod,
        split: { v1: 'http://v1', v2: 'http://v2' },
        standalone: { v1: 'http://one-v1', v2: 'http://one-v2' },
      }),
      /default\/web +127\.64\.0\.1 +http:\/\/v2 +http:\/\/one-v2$/,
    );
  });
});
