import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '../base/fake-clock.ts';
import type { Node, Pod } from '../cluster/objects.ts';
import { makeNode, makePod } from '../cluster/testing/make-objects.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { type CallerNodes, createCallerNodes } from './caller-nodes.ts';
import { createNodeAddresses } from './node-addresses.ts';
import { createNodeRanges } from './node-ranges.ts';
import { createPodTable, type PodTable } from './pod-table.ts';
import { createFakeWatch, type FakeWatch } from './testing/fake-watch.ts';
import { makeView } from './testing/objects.ts';

describe('the node of a caller', () => {
  let clock: FakeClock;
  let table: PodTable;
  let pods: FakeWatch<Pod>;
  let nodes: FakeWatch<Node>;
  let nodeAt: CallerNodes;

  beforeEach(() => {
    clock = createFakeClock();
    table = createPodTable(createMetrics());
    pods = createFakeWatch();
    nodes = createFakeWatch();
    const nodeAddresses = createNodeAddresses(pods);
    nodeAddresses.addNodes(nodes);
    const ranges = createNodeRanges({ nodes, table, clock });
    nodeAt = createCallerNodes({ table, nodeAddresses, ranges: () => ranges });
    nodes.set(makeNode('node-1', { podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'] }));
    nodes.set(makeNode('node-2', { podCIDRs: ['10.244.2.0/24'] }));
    pods.set(makePod({ name: 'a', hostIPs: ['192.168.0.1'] }));
    table.upsert(makeView({ name: 'a', addresses: ['10.244.1.7'] }));
    table.upsert(makeView({ name: 'b', nodeName: 'node-2', addresses: ['10.244.2.7'] }));
  });

  const at = (...addresses: string[]) => addresses.map((address) => nodeAt(address));

  it('is told by addresses of nodes, by those of pods, and by ranges', () => {
    assert.deepEqual(at('192.168.0.1', '10.244.1.7', '10.244.2.7'), ['node-1', 'node-1', 'node-2']);
    assert.deepEqual(at('10.244.1.0', '10.244.2.255', 'fd00:1::1'), ['node-1', 'node-2', 'node-1']);
    assert.deepEqual(at('10.244.3.1', 'fd00:2::1', '203.0.113.1', 'unknown'), Array(4).fill(undefined));
  });

  it('is not told where the words of nodes and pods differ', () => {
    table.upsert(makeView({ name: 'c', nodeName: 'node-2', addresses: ['192.168.0.1'] }));
    assert.equal(nodeAt('192.168.0.1'), undefined);
    table.upsert(makeView({ name: 'd', nodeName: 'node-1', addresses: ['10.244.2.7'] }));
    assert.equal(nodeAt('10.244.2.7'), undefined);
  });

  it('is not told by an address that two nodes have, whatever pods and ranges say', () => {
    pods.set(
      makePod({ name: 'b', nodeName: 'node-2', hostIPs: ['192.168.0.1', '10.244.1.1', '10.244.1.7'] }),
    );
    pods.set(makePod({ name: 'c', nodeName: 'node-1', hostIPs: ['10.244.1.1', '10.244.1.7'] }));
    assert.deepEqual(at('192.168.0.1', '10.244.1.1', '10.244.1.7'), Array(3).fill(undefined));
  });

  it('is told of an address that several pods of one node claim', () => {
    table.upsert(makeView({ name: 'a2', addresses: ['10.244.1.7'] }));
    assert.equal(nodeAt('10.244.1.7'), 'node-1');
  });

  it('is not told by any range once a pod lies in the range of another node', async () => {
    assert.equal(nodeAt('10.244.2.1'), 'node-2');
    table.upsert(makeView({ name: 'c', nodeName: 'node-1', addresses: ['10.244.2.9'] }));
    await clock.advance(30_000);
    assert.deepEqual(at('10.244.2.1', '10.244.1.1'), [undefined, undefined]);
    assert.equal(nodeAt('10.244.2.9'), 'node-1', 'the pod itself is where it is');
  });

  it('is not told by a range that two nodes have, and the longer of two ranges counts', async () => {
    nodes.set(makeNode('node-3', { podCIDRs: ['10.0.0.0/8', '10.244.2.0/24'] }));
    await clock.advance(1_000);
    assert.deepEqual(at('10.244.2.1', '10.244.1.1', '10.1.1.1'), [undefined, 'node-1', 'node-3']);
  });

  it('forgets the range of a node that is gone, within a second', async () => {
    assert.equal(nodeAt('10.244.1.1'), 'node-1');
    nodes.delete('uid-node-node-1');
    await clock.advance(1_000);
    assert.equal(nodeAt('10.244.1.1'), undefined);
  });

  it('takes what is no range for none', async () => {
    nodes.set(makeNode('node-4', { podCIDRs: ['10.4.0.0', '10.4.0.0/99', '/', 'x/8'] }));
    await clock.advance(1_000);
    assert.deepEqual(at('10.244.1.1', '10.4.0.0'), ['node-1', undefined]);
  });
});
