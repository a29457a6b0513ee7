import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Node, Pod } from '../cluster/objects.ts';
import { makeNode, makePod } from '../cluster/testing/make-objects.ts';
import { createNodeAddresses } from './node-addresses.ts';
import { createFakeWatch } from './testing/fake-watch.ts';

describe('node addresses', () => {
  it('learns the node of each address from pods, whatever the spelling', () => {
    const pods = createFakeWatch<Pod>();
    const addresses = createNodeAddresses(pods);
    pods.set(makePod({ name: 'a', hostIPs: ['192.168.0.1', 'FD00:0::1'] }));
    assert.equal(addresses.nodeOf('192.168.0.1'), 'node-1');
    assert.equal(addresses.nodeOf('::ffff:192.168.0.1'), 'node-1');
    assert.equal(addresses.nodeOf('fd00::1'), 'node-1');
    assert.equal(addresses.nodeOf('192.168.0.2'), undefined);
    assert.equal(addresses.nodeOf('not an address'), undefined);
  });

  it('learns nothing from a pod without a node, and believes the latest word', () => {
    const pods = createFakeWatch<Pod>();
    const addresses = createNodeAddresses(pods);
    pods.set(makePod({ name: 'a', nodeName: '' }));
    assert.equal(addresses.nodeOf('192.168.0.1'), undefined);
    pods.set(makePod({ name: 'a' }));
    pods.set(makePod({ name: 'b', nodeName: 'node-2' }));
    assert.equal(addresses.nodeOf('192.168.0.1'), 'node-2');
  });

  it('concludes nothing from an address that two nodes have, until one of them is gone', () => {
    const pods = createFakeWatch<Pod>();
    const addresses = createNodeAddresses(pods);
    pods.set(makePod({ name: 'a' }));
    pods.set(makePod({ name: 'a2' }));
    assert.deepEqual(addresses.ownerOf('192.168.0.1'), { kind: 'one', nodeName: 'node-1' });
    pods.set(makePod({ name: 'b', nodeName: 'node-2' }));
    assert.deepEqual(addresses.ownerOf('192.168.0.1'), { kind: 'several' });
    pods.delete('uid-a');
    assert.deepEqual(addresses.ownerOf('192.168.0.1'), { kind: 'several' }, 'a2 is still there');
    pods.set(makePod({ name: 'a2', phase: 'Succeeded' }));
    assert.deepEqual(addresses.ownerOf('192.168.0.1'), { kind: 'one', nodeName: 'node-2' });
    pods.delete('uid-b');
    assert.deepEqual(addresses.ownerOf('192.168.0.1'), { kind: 'none' });
    assert.equal(addresses.nodeOf('192.168.0.1'), undefined);
    assert.deepEqual([addresses.has('node-1'), addresses.has('node-2')], [false, false]);
  });

  it('follows a pod whose node changes its address', () => {
    const pods = createFakeWatch<Pod>();
    const addresses = createNodeAddresses(pods);
    pods.set(makePod({ name: 'a' }));
    pods.set(makePod({ name: 'a', hostIPs: ['192.168.0.9'] }));
    assert.equal(addresses.nodeOf('192.168.0.1'), undefined);
    assert.equal(addresses.nodeOf('192.168.0.9'), 'node-1');
  });

  it('believes nodes, and leaves out those whose pods have outlived them', () => {
    const pods = createFakeWatch<Pod>();
    const nodes = createFakeWatch<Node>();
    const addresses = createNodeAddresses(pods);
    addresses.addNodes(nodes);
    nodes.set(makeNode('node-1', { addresses: ['192.168.0.1', '10.9.0.1'] }));
    pods.set(makePod({ name: 'a' }));
    assert.deepEqual(addresses.ownerOf('10.9.0.1'), { kind: 'one', nodeName: 'node-1' });
    nodes.delete('uid-node-node-1');
    assert.deepEqual(addresses.ownerOf('10.9.0.1'), { kind: 'none' });
    nodes.set(makeNode('node-2', { addresses: ['192.168.0.1'] }));
    assert.deepEqual(addresses.ownerOf('192.168.0.1'), { kind: 'one', nodeName: 'node-2' });
    assert.equal(addresses.nodeOf('192.168.0.1'), 'node-2');
    nodes.set(makeNode('node-2', { addresses: ['192.168.0.2'] }));
    nodes.set(makeNode('node-3', { addresses: ['192.168.0.2'] }));
    assert.deepEqual(addresses.ownerOf('192.168.0.2'), { kind: 'several' });
  });

  it('tells once who waits, now or later, and nobody who stopped waiting', () => {
    const pods = createFakeWatch<Pod>();
    const addresses = createNodeAddresses(pods);
    const told: string[] = [];
    addresses.whenKnown('192.168.0.1', (name) => told.push(`first ${name}`));
    addresses.whenKnown('192.168.0.1', (name) => told.push(`never ${name}`))();
    pods.set(makePod({ name: 'a' }));
    pods.set(makePod({ name: 'b' }));
    addresses.whenKnown('192.168.0.1', (name) => told.push(`later ${name}`));
    assert.deepEqual(told, ['first node-1', 'later node-1']);
  });
});
