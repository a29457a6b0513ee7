import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { textAt } from './cluster-api/json.ts';
import { createObjectStore, type ObjectStore } from './cluster-api/object-store.ts';
import { resourceNamed } from './cluster-api/resources.ts';
import { startKubelet } from './kubelet.ts';

describe('the sandbox kubelet', () => {
  const pods = resourceNamed('pods');
  let store: ObjectStore;
  let told: string[];

  beforeEach(() => {
    store = createObjectStore({ clock: createFakeClock(), random: createSeededRandom(1) });
    store.create(resourceNamed('namespaces'), { metadata: { name: 'default' } });
    told = [];
  });

  const start = () =>
    startKubelet({
      store,
      clock: createFakeClock(),
      nodeName: 'node',
      nodeAddress: '127.0.0.1',
      onRunning: ({ name, address }) => told.push(`${name} runs at ${address}`),
      onGone: ({ name }) => told.push(`${name} is gone`),
    });
  const create = (name: string, spec: Record<string, string | boolean> = {}, status = {}) =>
    assert.equal(
      store.create(pods, {
        metadata: { name, namespace: 'default' },
        spec: { containers: [], ...spec },
        status,
      }).kind,
      'done',
    );
  const pod = (name: string) => store.get(pods, 'default', name);

  it('runs pods that were there before and pods that come later, each at an address of its own', () => {
    create('early');
    start();
    create('late');
    assert.deepEqual(told, ['early runs at 127.64.0.1', 'late runs at 127.64.0.2']);
    assert.equal(textAt(pod('late'), 'status', 'phase'), 'Running');
    assert.equal(textAt(pod('late'), 'status', 'podIP'), '127.64.0.2');
    assert.deepEqual(pod('late')?.status, {
      ...(pod('late')?.status as object),
      hostIPs: [{ ip: '127.0.0.1' }],
    });
  });

  it('schedules a pod without a node, keeps what its spec says, and leaves other nodes alone', () => {
    start();
    create('free', { restartPolicy: 'Never' });
    create('elsewhere', { nodeName: 'other' });
    assert.equal(textAt(pod('free'), 'spec', 'nodeName'), 'node');
    assert.equal(textAt(pod('free'), 'spec', 'restartPolicy'), 'Never');
    assert.equal(textAt(pod('elsewhere'), 'status', 'podIP'), '');
  });

  it('gives host-network pods the address of the node', () => {
    start();
    create('host', { hostNetwork: true });
    assert.equal(textAt(pod('host'), 'status', 'podIP'), '127.0.0.1');
  });

  it('does not give an address twice, nor start a pod twice', () => {
    start();
    create('a');
    store.delete(pods, 'default', 'a');
    create('a');
    assert.deepEqual(told, ['a runs at 127.64.0.1', 'a is gone', 'a runs at 127.64.0.2']);
  });

  it('leaves a finished pod finished, and notices one that finishes', () => {
    create('done', {}, { phase: 'Succeeded' });
    start();
    create('job');
    store.update(
      pods,
      { metadata: { name: 'job', namespace: 'default' }, status: { phase: 'Failed' } },
      { part: 'status' },
    );
    assert.deepEqual(told, ['job runs at 127.64.0.1', 'job is gone']);
  });

  it('does nothing after it was stopped', () => {
    start()();
    create('late');
    assert.deepEqual(told, []);
  });
});
