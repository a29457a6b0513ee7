import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pod } from '../cluster/objects.ts';
import { makePod } from '../cluster/testing/make-objects.ts';
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
