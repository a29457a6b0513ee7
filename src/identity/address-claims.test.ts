import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Pod } from '../cluster/objects.ts';
import { makePod } from '../cluster/testing/make-objects.ts';
import { canonicalAddress } from './address.ts';
import { claimedAddresses, isFinished } from './address-claims.ts';

const running = makePod({ name: 'web-0' });

describe('claimedAddresses', () => {
  const table: readonly (readonly [what: string, change: Partial<Pod>, claimed: readonly string[]])[] = [
    ['a running pod: its address', {}, ['10.0.0.1']],
    ['a pending pod: its address, since containers may have started', { phase: 'Pending' }, ['10.0.0.1']],
    ['a pod whose node is out of touch: its address', { phase: 'Unknown' }, ['10.0.0.1']],
    ['a terminating pod: its address, since it still runs', { terminating: true }, ['10.0.0.1']],
    ['a succeeded pod: none', { phase: 'Succeeded' }, []],
    ['a failed pod: none', { phase: 'Failed' }, []],
    ['a host-network pod: none', { hostNetwork: true, podIPs: ['192.168.0.1'] }, []],
    ['a host-network pod with an address of its own: none', { hostNetwork: true }, []],
    ['an unscheduled pod: none', { nodeName: '' }, []],
    ['a pod without an address yet: none', { podIPs: [] }, []],
    ['two families: both, in order', { podIPs: ['fd00::1', '10.0.0.1'] }, ['fd00::1', '10.0.0.1']],
    ['two spellings of one: one', { podIPs: ['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.1'] }, ['10.0.0.1']],
    ['another spelling: the canonical one', { podIPs: ['FD00:0::01'] }, ['fd00::1']],
    ['no address: none', { podIPs: ['', 'none', '10.0.0.01'] }, []],
    ['one that is none and one that is: the one', { podIPs: ['?', '10.0.0.2'] }, ['10.0.0.2']],
    // A mirror pod, or a runtime that reports the node's address: hostNetwork is not set.
    ['the address of its node: none', { podIPs: ['192.168.0.1'] }, []],
    ['its node’s, in another spelling: none', { podIPs: ['192.168.0.1'], hostIPs: ['::ffff:c0a8:1'] }, []],
    ['its own and its node’s: its own', { podIPs: ['192.168.0.1', '10.0.0.1'] }, ['10.0.0.1']],
    ['a node without addresses: its own', { hostIPs: [] }, ['10.0.0.1']],
    [
      'a node with nonsense for one: its own',
      { hostIPs: ['nonsense'], podIPs: ['nonsense', '10.0.0.1'] },
      ['10.0.0.1'],
    ],
    // The sandbox gives pods addresses of the loopback network.
    ['loopback: like any other', { podIPs: ['127.1.0.2'], hostIPs: ['127.0.0.1'] }, ['127.1.0.2']],
  ];
  for (const [what, change, claimed] of table) {
    it(what, () => assert.deepEqual(claimedAddresses({ ...running, ...change }), claimed));
  }

  it('holds canonical addresses, each once, none of the node’s, whatever the status says', () => {
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4Extended(),
      fc.constantFrom('10.0.0.1', '::ffff:a00:1'),
      fc.string(),
    );
    const pod = fc.record({
      phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
      hostNetwork: fc.boolean(),
      nodeName: fc.constantFrom('', 'node-1'),
      podIPs: fc.array(address, { maxLength: 5 }),
      hostIPs: fc.array(address, { maxLength: 2 }),
    });
    fc.assert(
      fc.property(pod, (change) => {
        const claimed = claimedAddresses({ ...running, ...change });
        assert.equal(new Set(claimed).size, claimed.length);
        for (const own of claimed) {
          assert.equal(canonicalAddress(own), own);
          assert.ok(!change.hostIPs.map(canonicalAddress).includes(own));
        }
        if (change.hostNetwork || change.nodeName === '' || isFinished(change)) assert.deepEqual(claimed, []);
      }),
    );
  });
});

describe('isFinished', () => {
  it('is so in the final phases only', () => {
    const phases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;
    assert.deepEqual(
      phases.filter((phase) => isFinished({ phase })),
      ['Succeeded', 'Failed'],
    );
  });
});
