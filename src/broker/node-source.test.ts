import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '../base/fake-clock.ts';
import type { Pod } from '../cluster/objects.ts';
import { makePod } from '../cluster/testing/make-objects.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createFedNodes, type FedNodes } from './fed-nodes.ts';
import { createNodeAddresses } from './node-addresses.ts';
import type { NodeListener, NodeSource } from './node-feed.ts';
import { createNodeSource } from './node-source.ts';
import { createPodTable, type PodTable } from './pod-table.ts';
import { fakeCredentials } from './testing/fake-sessions.ts';
import { createFakeWatch, type FakeWatch } from './testing/fake-watch.ts';
import { makeView } from './testing/objects.ts';

function record(): NodeListener & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    pod: (view) => told.push(`pod ${view.name}`),
    removed: (uid) => told.push(`removed ${uid}`),
    synced: () => told.push('synced'),
  };
}

describe('node source', () => {
  let clock: FakeClock;
  let table: PodTable;
  let pods: FakeWatch<Pod>;
  let fedNodes: FedNodes;
  let source: NodeSource;
  let sync: () => void;
  let changed: string[];
  const signal = new AbortController().signal;

  beforeEach(() => {
    clock = createFakeClock();
    table = createPodTable(createMetrics());
    pods = createFakeWatch();
    changed = [];
    fedNodes = createFedNodes({ clock, onChange: (node) => changed.push(node), lingerMillis: 60_000 });
    const synced = Promise.withResolvers<void>();
    sync = synced.resolve;
    source = createNodeSource({
      table,
      fedNodes,
      nodeAddresses: createNodeAddresses(pods),
      whenSynced: synced.promise,
      clock,
    });
  });

  it('tells all of a node, that it is all, and then each change; and nothing of other nodes', async () => {
    table.upsert(makeView({ name: 'a' }));
    table.upsert(makeView({ name: 'elsewhere', nodeName: 'node-2' }));
    const listener = record();
    source.subscribeNode({ nodeName: 'node-1' }, listener);
    assert.deepEqual(listener.told, ['pod a']);
    sync();
    await clock.advance(0);
    table.upsert(makeView({ name: 'b', addresses: ['10.0.0.2'] }));
    table.remove('uid-a');
    table.remove('uid-elsewhere');
    assert.deepEqual(listener.told, ['pod a', 'synced', 'pod b', 'removed uid-a']);
  });

  it('never says synced before the cluster has been seen as a whole, nor after it was stopped', async () => {
    const [early, stopped] = [record(), record()];
    source.subscribeNode({ nodeName: 'node-1' }, early);
    source.subscribeNode({ nodeName: 'node-1' }, stopped)();
    await clock.advance(1_000);
    assert.deepEqual(early.told, []);
    sync();
    await clock.advance(0);
    assert.deepEqual(early.told, ['synced']);
    table.upsert(makeView({ name: 'a' }));
    assert.deepEqual(stopped.told, []);
  });

  it('feeds the node while somebody listens, and for a while after', async () => {
    const stop = source.subscribeNode({ nodeName: 'node-1' }, record());
    const stopOther = source.subscribeNode({ nodeName: 'node-1' }, record());
    assert.deepEqual(changed, ['node-1']);
    stop();
    stop();
    assert.equal(fedNodes.held, 1);
    stopOther();
    assert.equal(fedNodes.held, 0);
    assert.ok(fedNodes.isFed('node-1'));
    await clock.advance(60_000);
    assert.ok(!fedNodes.isFed('node-1'));
    assert.deepEqual(changed, ['node-1', 'node-1']);
  });

  it('finds the node of an agent that only knows its address, also when the first pod comes later', () => {
    const listener = record();
    table.upsert(makeView({ name: 'a' }));
    source.subscribeNode({ hostIp: '::ffff:192.168.0.1' }, listener);
    assert.deepEqual(listener.told, []);
    pods.set(makePod({ name: 'a' }));
    assert.deepEqual(listener.told, ['pod a']);
  });

  describe('find', () => {
    const credentials = () =>
      ({ kind: 'issued', credentials: fakeCredentials('AKIA', clock.now()) }) as const;
    const find = (node: string, waitMillis = 500) =>
      source.find('10.0.0.1', { node: { nodeName: node }, waitMillis, signal });

    it('waits for the pod and for its session, and feeds its node from then on', async () => {
      const found = find('node-1');
      await clock.advance(100);
      table.upsert(makeView({ name: 'a' }));
      assert.deepEqual(changed, ['node-1']);
      await clock.advance(100);
      table.upsert(makeView({ name: 'a', session: credentials() }));
      assert.deepEqual(
        (await found).map((view) => view.session.kind),
        ['issued'],
      );
    });

    it('gives what there is when the time is up', async () => {
      table.upsert(makeView({ name: 'a' }));
      const [pending, nobody] = [find('node-1'), find('node-2')];
      await clock.advance(500);
      assert.deepEqual(
        (await pending).map((view) => view.session.kind),
        ['pending'],
      );
      assert.deepEqual(await nobody, []);
    });

    it('does not take a pod of another node for the caller', async () => {
      table.upsert(makeView({ name: 'theirs', nodeName: 'node-2', session: credentials() }));
      table.upsert(makeView({ name: 'ours', session: credentials() }));
      assert.deepEqual(
        (await find('node-1')).map((view) => view.name),
        ['ours'],
      );
    });

    it('gives all that conflict on one node, at once', async () => {
      table.upsert(makeView({ name: 'a', session: credentials() }));
      table.upsert(makeView({ name: 'b', session: credentials() }));
      assert.equal((await find('node-1')).length, 2);
      assert.equal(clock.pending, 1, 'only the timer of the fed node');
    });

    it('finds nobody at what is not an address', async () => {
      assert.deepEqual(
        await source.find('nowhere', { node: { nodeName: 'node-1' }, waitMillis: 500, signal }),
        [],
      );
    });

    it('ends when the caller goes away', async () => {
      const controller = new AbortController();
      const found = source.find('10.0.0.1', { node: {}, waitMillis: 500, signal: controller.signal });
      controller.abort(new Error('gone'));
      await assert.rejects(found, /gone/);
    });
  });
});
