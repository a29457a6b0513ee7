import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import type { Namespace, Pod } from '../cluster/objects.ts';
import { makeNamespace, makePod } from '../cluster/testing/make-objects.ts';
import { defaultAnnotationKeys as keys } from '../roles/annotation-keys.ts';
import { createDecide, type SessionNameFormat } from '../roles/decide.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createDecider } from './decider.ts';
import { createPodTable } from './pod-table.ts';
import { createFakeSessions, fakeCredentials } from './testing/fake-sessions.ts';
import { createFakeWatch } from './testing/fake-watch.ts';

const readerArn = 'arn:aws:iam::123456789012:role/reader';
/** kube2iam's hashes of addresses. */
const [one, other] = ['74445065-reader', 'debebe8d-reader'];
const [oneAddress, otherAddress] = ['1.2.3.4', '10.0.0.1'];

function start(sessionNameFormat: SessionNameFormat) {
  const clock = createFakeClock();
  const metrics = createMetrics();
  const [pods, namespaces] = [createFakeWatch<Pod>(), createFakeWatch<Namespace>()];
  const sessions = createFakeSessions();
  const table = createPodTable(metrics);
  const decide = createDecide({
    baseArn: 'arn:aws:iam::123456789012:role/',
    defaultSessionName: 'kiam',
    sessionNameFormat,
    keys,
    strictNamespaceRegexp: true,
  });
  namespaces.set(makeNamespace('default', { [keys.permitted]: '.*' }));
  createDecider({ pods, namespaces, decide, sessions, table, isFed: () => true, clock, metrics }).start();
  sessions.set(readerArn, { kind: 'issued', credentials: fakeCredentials('AKIA1', clock.now()) });
  return {
    setPod(name: string, podIPs: readonly string[]) {
      const phase = podIPs.length === 0 ? 'Pending' : 'Running';
      pods.set(makePod({ name, annotations: { [keys.role]: 'reader' }, podIPs: [...podIPs], phase }));
    },
    viewOf: (name: string) => table.get(`uid-${name}`),
    sessions,
    held: () => sessions.held.map(({ sessionName }) => sessionName),
  };
}

describe('decider, where sessions are named by the address of the pod', () => {
  it('waits for the address, and fetches when it comes', () => {
    const { setPod, viewOf, held } = start('kube2iam');
    setPod('web', []);
    assert.equal(viewOf('web')?.decision.kind, 'undecided');
    assert.deepEqual(held(), []);
    setPod('web', [oneAddress]);
    assert.equal(viewOf('web')?.decision.kind, 'granted');
    assert.equal(viewOf('web')?.session.kind, 'issued');
    assert.deepEqual(held(), [one]);
  });

  it('takes another session when the address changes, and lets go of the first', () => {
    const { setPod, viewOf, held } = start('kube2iam');
    setPod('web', [oneAddress]);
    setPod('web', [otherAddress]);
    assert.deepEqual(viewOf('web')?.addresses, [otherAddress]);
    assert.deepEqual(held(), [other]);
  });

  it('waits again when the address is taken away', () => {
    const { setPod, viewOf, held } = start('kube2iam');
    setPod('web', [oneAddress]);
    setPod('web', []);
    assert.equal(viewOf('web')?.decision.kind, 'undecided');
    assert.equal(viewOf('web')?.session.kind, 'pending');
    assert.deepEqual(held(), []);
  });

  it('keeps the session when an address of the other family is added', () => {
    const { setPod, sessions, held } = start('kube2iam');
    setPod('web', [oneAddress]);
    const [before] = sessions.held;
    setPod('web', [oneAddress, 'fd00::1']);
    setPod('web', ['fd00::1', oneAddress]);
    assert.deepEqual(held(), [one]);
    assert.equal(sessions.held[0], before, 'and the same claim to it');
  });

  it('gives each pod of a workload a session of its own', () => {
    const { setPod, held } = start('kube2iam');
    setPod('web-1', [oneAddress]);
    setPod('web-2', [otherAddress]);
    assert.deepEqual(held(), [one, other]);
  });
});

it('keeps the session over a change of address where sessions are not named by it', () => {
  const { setPod, viewOf, sessions } = start('kiam');
  setPod('web', []);
  const [before] = sessions.held;
  assert.equal(before?.sessionName, 'kiam-kiam');
  for (const podIPs of [[oneAddress], [otherAddress]]) {
    setPod('web', podIPs);
    assert.deepEqual(viewOf('web')?.addresses, podIPs);
    assert.equal(sessions.held[0], before);
  }
});
