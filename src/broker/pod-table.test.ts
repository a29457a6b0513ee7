import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { createPodTable, type PodTable } from './pod-table.ts';
import { makeView } from './testing/objects.ts';

describe('pod table', () => {
  let table: PodTable;
  let metrics: Metrics;
  beforeEach(() => {
    metrics = createMetrics();
    table = createPodTable(metrics);
  });

  const gauge = async (
    name: 'brokerPods' | 'brokerAddressConflicts',
    labels: Record<string, string> = {},
  ) => {
    const { values } = await metrics[name].get();
    return values.find((value) =>
      Object.entries(labels).every(([key, text]) => value.labels[key as never] === text),
    )?.value;
  };

  it('finds a pod by UID and by each of its addresses, and forgets it wholly', () => {
    const view = makeView({ name: 'a', addresses: ['10.0.0.1', 'fd00::1'] });
    table.upsert(view);
    assert.equal(table.get('uid-a'), view);
    for (const address of view.addresses)
      assert.deepEqual(table.find(address), { kind: 'found', item: view });
    table.remove('uid-a');
    assert.equal(table.get('uid-a'), undefined);
    for (const address of view.addresses) assert.equal(table.find(address).kind, 'unknown');
    assert.equal(table.size, 0);
  });

  it('follows a pod from one address to another', () => {
    table.upsert(makeView({ name: 'a', addresses: ['10.0.0.1'] }));
    table.upsert(makeView({ name: 'a', addresses: ['10.0.0.2'] }));
    assert.equal(table.find('10.0.0.1').kind, 'unknown');
    assert.equal(table.find('10.0.0.2').kind, 'found');
  });

  it('tells listeners what was before, and nothing for the very same view', () => {
    const told: string[] = [];
    table.subscribe({
      upsert: (view, previous) => told.push(`${view.addresses[0]} after ${previous?.addresses[0]}`),
      remove: (view) => told.push(`removed ${view.name}`),
    });
    const first = makeView({ name: 'a', addresses: ['10.0.0.1'] });
    table.upsert(first);
    table.upsert(first);
    table.upsert(makeView({ name: 'a', addresses: ['10.0.0.2'] }));
    table.remove('uid-a');
    table.remove('uid-a');
    assert.deepEqual(told, ['10.0.0.1 after undefined', '10.0.0.2 after 10.0.0.1', 'removed a']);
  });

  it('wakes who waits for an address: when it is taken, changes, and is given up', () => {
    let woken = 0;
    const stop = table.onAddress('10.0.0.1', () => woken++);
    table.upsert(makeView({ name: 'elsewhere', addresses: ['10.0.0.9'] }));
    assert.equal(woken, 0);
    table.upsert(makeView({ name: 'a', addresses: ['10.0.0.1'] }));
    table.upsert(makeView({ name: 'a', addresses: ['10.0.0.2'] }));
    assert.equal(woken, 2);
    stop();
    table.upsert(makeView({ name: 'a', addresses: ['10.0.0.1'] }));
    assert.equal(woken, 2);
  });

  it('lets a listener stop itself, or others, while it is being told', () => {
    const told: string[] = [];
    const stopFirst = table.onAddress('10.0.0.1', () => {
      told.push('first');
      stopFirst();
    });
    table.onAddress('10.0.0.1', () => told.push('second'));
    table.upsert(makeView({ name: 'a' }));
    table.upsert(makeView({ name: 'a', namespace: 'other' }));
    assert.deepEqual(told, ['first', 'second', 'second']);
  });

  it('counts pods by decision, and addresses in conflict', async () => {
    table.upsert(makeView({ name: 'a' }));
    table.upsert(makeView({ name: 'b', decision: { kind: 'no-role', findings: [] } }));
    assert.equal(await gauge('brokerPods', { decision: 'granted' }), 1);
    assert.equal(await gauge('brokerAddressConflicts'), 1);
    table.upsert(makeView({ name: 'a', decision: { kind: 'no-role', findings: [] } }));
    assert.equal(await gauge('brokerPods', { decision: 'granted' }), 0);
    assert.equal(await gauge('brokerPods', { decision: 'no-role' }), 2);
    table.remove('uid-b');
    assert.equal(await gauge('brokerPods', { decision: 'no-role' }), 1);
    assert.equal(await gauge('brokerAddressConflicts'), 0);
  });
});
