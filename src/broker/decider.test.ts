import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '../base/fake-clock.ts';
import type { Namespace, Pod } from '../cluster/objects.ts';
import { makeNamespace, makePod } from '../cluster/testing/make-objects.ts';
import type { Decision } from '../roles/decision.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { createDecider, type Decider } from './decider.ts';
import { createPodTable, type PodTable } from './pod-table.ts';
import { createFakeSessions, type FakeSessions, fakeCredentials } from './testing/fake-sessions.ts';
import { createFakeWatch, type FakeWatch } from './testing/fake-watch.ts';
import { grantedTo } from './testing/objects.ts';

const readerArn = 'arn:aws:iam::123456789012:role/reader';

/** A policy for these tests: the annotation `role`, permitted where the namespace says `open`. */
function decide(pod: Pod, namespace: Namespace | undefined): Decision {
  const role = pod.annotations.role;
  if (role === undefined) return { kind: 'no-role', findings: [] };
  if (!namespace) return { kind: 'undecided', findings: [] };
  const granted = grantedTo(role);
  if (namespace.annotations.open === 'yes' || granted.kind !== 'granted') return granted;
  return {
    kind: 'forbidden',
    role: granted.role,
    refusal: { rule: 'missing', annotation: 'open' },
    findings: [],
  };
}

describe('decider', () => {
  let clock: FakeClock;
  let pods: FakeWatch<Pod>;
  let namespaces: FakeWatch<Namespace>;
  let sessions: FakeSessions;
  let table: PodTable;
  let metrics: Metrics;
  let fed: Set<string>;
  let decider: Decider;
  let decisions: number;

  beforeEach(() => {
    clock = createFakeClock();
    pods = createFakeWatch();
    namespaces = createFakeWatch();
    sessions = createFakeSessions();
    metrics = createMetrics();
    table = createPodTable(metrics);
    fed = new Set(['node-1']);
    decisions = 0;
    decider = createDecider({
      pods,
      namespaces,
      decide: (pod, namespace) => {
        decisions++;
        return decide(pod, namespace);
      },
      sessions,
      table,
      isFed: (node) => fed.has(node),
      clock,
      metrics,
    });
  });

  const viewOf = (name: string) => table.get(`uid-${name}`);
  const stateOf = (name: string) => viewOf(name)?.session.kind;
  const issue = (key: string) =>
    sessions.set(readerArn, { kind: 'issued', credentials: fakeCredentials(key, clock.now()) });

  it('decides about what exists at the start and fetches what is granted', () => {
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    pods.set(makePod({ name: 'web', annotations: { role: 'reader' } }));
    decider.start();
    assert.equal(viewOf('web')?.decision.kind, 'granted');
    assert.deepEqual(
      sessions.held.map((identity) => identity.roleArn),
      [readerArn],
    );
    issue('AKIA1');
    assert.equal(stateOf('web'), 'issued');
  });

  it('forgets none of 10,000 pods that exist at the start', () => {
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    const names = Array.from({ length: 10_000 }, (_, number) => `pod-${number}`);
    for (const [number, name] of names.entries()) {
      const podIPs = [`10.0.${number >> 8}.${number & 255}`];
      pods.set(makePod({ name, nodeName: 'node-1', podIPs, annotations: { role: 'reader' } }));
    }
    decider.start();
    assert.ok(
      names.every((name) => viewOf(name)?.decision.kind === 'granted' && stateOf(name) === 'pending'),
    );
    issue('A');
    assert.ok(names.every((name) => stateOf(name) === 'issued'));
  });

  it('fetches nothing for what policy forbids, and fetches as soon as the namespace permits it', () => {
    decider.start();
    namespaces.set(makeNamespace('default'));
    pods.set(makePod({ name: 'web', annotations: { role: 'reader' } }));
    assert.equal(viewOf('web')?.decision.kind, 'forbidden');
    assert.deepEqual(sessions.held, []);
    namespaces.set({ ...makeNamespace('default', { open: 'yes' }), resourceVersion: '2' });
    assert.equal(viewOf('web')?.decision.kind, 'granted');
    assert.equal(sessions.held.length, 1);
  });

  it('takes credentials away at once when the namespace is closed again', () => {
    decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    pods.set(makePod({ name: 'web', annotations: { role: 'reader' } }));
    issue('AKIA1');
    namespaces.set({ ...makeNamespace('default'), resourceVersion: '2' });
    assert.equal(viewOf('web')?.decision.kind, 'forbidden');
    assert.equal(stateOf('web'), 'pending');
    assert.deepEqual(sessions.held, []);
  });

  it('waits for a namespace that has not been seen, and decides when it comes', () => {
    decider.start();
    pods.set(makePod({ name: 'web', annotations: { role: 'reader' } }));
    assert.equal(viewOf('web')?.decision.kind, 'undecided');
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    assert.equal(viewOf('web')?.decision.kind, 'granted');
  });

  it('follows an annotation that is added, changed and removed on a running pod', () => {
    decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    const web = makePod({ name: 'web' });
    pods.set(web);
    assert.equal(viewOf('web')?.decision.kind, 'no-role');
    pods.set({ ...web, annotations: { role: 'reader' } });
    assert.equal(sessions.held[0]?.roleArn, readerArn);
    pods.set({ ...web, annotations: { role: 'writer' } });
    assert.deepEqual(
      sessions.held.map((identity) => identity.roleArn),
      ['arn:aws:iam::123456789012:role/writer'],
    );
    pods.set(web);
    assert.deepEqual(sessions.held, []);
  });

  it('keeps nothing of a pod that finished, was deleted, or shares the network of its host', () => {
    decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    const annotations = { role: 'reader' };
    pods.set(makePod({ name: 'done', annotations }));
    pods.set(makePod({ name: 'gone', annotations, podIPs: ['10.0.0.2'] }));
    pods.set(makePod({ name: 'host', annotations, podIPs: ['192.168.0.1'], hostNetwork: true }));
    assert.equal(table.size, 2);
    pods.set(makePod({ name: 'done', annotations, phase: 'Succeeded' }));
    pods.delete('uid-gone');
    assert.equal(table.size, 0);
    assert.deepEqual(sessions.held, []);
  });

  it('prefetches for a pod that is scheduled and has no address yet', () => {
    decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    pods.set(makePod({ name: 'web', annotations: { role: 'reader' }, phase: 'Pending', podIPs: [] }));
    assert.equal(sessions.held.length, 1);
    assert.deepEqual(viewOf('web')?.addresses, []);
  });

  it('leaves the pods of nodes that it does not feed to others, until it feeds them', () => {
    decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    pods.set(makePod({ name: 'web', annotations: { role: 'reader' }, nodeName: 'node-2' }));
    assert.equal(viewOf('web')?.decision.kind, 'granted');
    assert.deepEqual(sessions.held, []);
    fed.add('node-2');
    decider.feedChanged('node-2');
    assert.equal(sessions.held.length, 1);
    fed.delete('node-2');
    decider.feedChanged('node-2');
    assert.deepEqual(sessions.held, []);
  });

  it('notices the node when a pod is scheduled after it was seen', () => {
    decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    pods.set(
      makePod({ name: 'web', annotations: { role: 'reader' }, nodeName: '', podIPs: [], phase: 'Pending' }),
    );
    assert.deepEqual(sessions.held, []);
    pods.set(makePod({ name: 'web', annotations: { role: 'reader' } }));
    assert.equal(sessions.held.length, 1);
    fed.clear();
    decider.feedChanged('node-1');
    assert.deepEqual(sessions.held, []);
  });

  it('does not publish or decide again for a change that concerns nothing it looks at', () => {
    decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    const web = makePod({ name: 'web', annotations: { role: 'reader' } });
    pods.set(web);
    const view = viewOf('web');
    const before = decisions;
    pods.set({ ...web, resourceVersion: '2', annotations: { ...web.annotations }, podIPs: [...web.podIPs] });
    assert.equal(viewOf('web'), view);
    assert.equal(decisions, before);
  });

  it('does not decide again when a namespace changes in what it does not look at', () => {
    decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    const web = makePod({ name: 'web', annotations: { role: 'reader' } });
    pods.set(web);
    const view = viewOf('web');
    const before = decisions;
    namespaces.set({ ...makeNamespace('default', { open: 'yes' }), resourceVersion: '2' });
    pods.set({ ...web, resourceVersion: '2' });
    assert.equal(viewOf('web'), view);
    assert.equal(decisions, before);
  });

  it('measures from the pod to its credentials', async () => {
    decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    pods.set(makePod({ name: 'web', annotations: { role: 'reader' } }));
    await clock.advance(40);
    issue('AKIA1');
    issue('AKIA2');
    const { values } = await metrics.feedLatency.get();
    assert.equal(values.find((value) => value.metricName?.endsWith('_count'))?.value, 1);
    assert.equal(values.find((value) => value.metricName?.endsWith('_sum'))?.value, 0.04);
  });

  it('lets go of everything when it stops', () => {
    const stop = decider.start();
    namespaces.set(makeNamespace('default', { open: 'yes' }));
    pods.set(makePod({ name: 'web', annotations: { role: 'reader' } }));
    stop();
    assert.equal(table.size, 0);
    assert.deepEqual(sessions.held, []);
    pods.set(makePod({ name: 'late', annotations: { role: 'reader' } }));
    assert.equal(table.size, 0);
  });
});
