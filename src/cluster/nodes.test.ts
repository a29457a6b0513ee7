import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { projectNode } from './nodes.ts';

const metadata = { uid: 'uid-1', name: 'node-1', resourceVersion: '7' };

describe('what is kept of a node', () => {
  it('is its addresses, those that CNIs note, and its ranges', () => {
    const node = projectNode({
      metadata: {
        ...metadata,
        annotations: {
          'projectcalico.org/IPv4Address': '192.168.0.1/24',
          'projectcalico.org/IPv4IPIPTunnelAddr': '10.244.9.1',
          'network.cilium.io/ipv6-cilium-host': 'fd00::9',
          'flannel.alpha.coreos.com/public-ip': '203.0.113.9',
          'example.com/other': '1.2.3.4',
        },
      },
      spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'] },
      status: {
        addresses: [
          { type: 'InternalIP', address: '192.168.0.1' },
          { type: 'ExternalIP', address: '203.0.113.1' },
          { type: 'Hostname', address: 'node-1' },
        ],
      },
    });
    assert.deepEqual(node, {
      ...metadata,
      namespace: '',
      addresses: ['192.168.0.1', '203.0.113.1', '192.168.0.1', '10.244.9.1', 'fd00::9', '203.0.113.9'],
      podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'],
    });
  });

  it('is the one range of an older API server', () => {
    assert.deepEqual(projectNode({ metadata, spec: { podCIDR: '10.1.0.0/24' } })?.podCIDRs, ['10.1.0.0/24']);
  });

  const odd: unknown[] = [
    { metadata },
    { metadata, spec: { podCIDRs: [7, 'x'.repeat(65), null] }, status: { addresses: 'none' } },
    {
      metadata,
      spec: { podCIDRs: {} },
      status: { addresses: [null, 7, { type: 'InternalIP', address: 7 }] },
    },
    { metadata: { ...metadata, annotations: { 'projectcalico.org/IPv4Address': 'x'.repeat(99) } } },
  ];
  for (const raw of odd) {
    it(`is a node without addresses where these are odd: ${JSON.stringify(raw).slice(58, 120)}`, () => {
      const node = projectNode(raw);
      assert.deepEqual([node?.name, node?.addresses, node?.podCIDRs], ['node-1', [], []]);
    });
  }

  it('is nothing where there is no identity', () => {
    assert.equal(projectNode({ metadata: { name: 'node-1' } }), undefined);
    assert.equal(projectNode('node'), undefined);
  });
});
