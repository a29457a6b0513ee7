import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createNodeBrokers } from './node-brokers.ts';
import { createPodTable } from './pod-table.ts';
import { makeView } from './testing/objects.ts';

const signal = new AbortController().signal;

function setUp() {
  const clock = createFakeClock();
  const table = createPodTable(createMetrics());
  const wanted: string[] = [];
  const brokers = createNodeBrokers({ table, clock, wanted: (view) => wanted.push(view.name) });
  return { clock, table, brokers, wanted };
}

describe('the broker of one node', () => {
  it('knows the pods of that node and no other', () => {
    const { table, brokers } = setUp();
    table.upsert(makeView({ name: 'a' }));
    table.upsert(makeView({ name: 'b', nodeName: 'node-2', addresses: ['10.0.0.2'] }));
    const broker = brokers.of('node-1');
    assert.equal(broker.ask('10.0.0.1').kind, 'pending');
    assert.equal(broker.ask('::ffff:10.0.0.1').kind, 'pending');
    assert.deepEqual(broker.ask('10.0.0.2'), { kind: 'unknown', address: '10.0.0.2' });
    assert.equal(brokers.of('node-2').ask('10.0.0.2').kind, 'pending');
    assert.equal(brokers.of('node-1'), broker);
  });

  it('sees a conflict among its own pods, and none with those of other nodes', () => {
    const { table, brokers } = setUp();
    table.upsert(makeView({ name: 'a' }));
    table.upsert(makeView({ name: 'b', nodeName: 'node-2' }));
    const answer = brokers.of('node-1').ask('10.0.0.1');
    assert.ok(answer.kind === 'pending' && answer.caller.name === 'a');
    assert.equal(brokers.of('node-3').ask('10.0.0.1').kind, 'unknown');
    table.upsert(makeView({ name: 'a2' }));
    const conflict = brokers.of('node-1').ask('10.0.0.1');
    assert.ok(conflict.kind === 'ambiguous');
    assert.deepEqual(
      conflict.claimants.map(({ name }) => name),
      ['a', 'a2'],
    );
    assert.deepEqual(brokers.nodesAt('10.0.0.1'), ['node-1', 'node-2']);
    assert.deepEqual(brokers.nodesAt('10.0.0.9'), []);
    assert.deepEqual(brokers.nodesAt('nonsense'), []);
  });

  it('waits for a pod of its own, whatever happens on other nodes', async () => {
    const { clock, table, brokers, wanted } = setUp();
    table.upsert(makeView({ name: 'old', nodeName: 'node-2' }));
    const asked = brokers.of('node-1').askPatiently('10.0.0.1', { waitMillis: 800, signal, for: 'role' });
    await clock.advance(100);
    table.remove('uid-old');
    table.upsert(makeView({ name: 'new' }));
    const answer = await asked;
    assert.ok(answer.kind === 'pending' && answer.caller.name === 'new');
    const late = brokers.of('node-2').askPatiently('10.0.0.1', { waitMillis: 800, signal });
    await clock.advance(800);
    assert.equal((await late).kind, 'unknown');
    assert.deepEqual([...new Set(wanted)], ['new'], 'only what its own node asked for is wanted');
  });
});
