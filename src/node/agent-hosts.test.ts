import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { describe, it } from 'node:test';
import { agentHosts } from './agent-hosts.ts';
import { parseHostInterfaces } from './host-interfaces.ts';

const interfaces = parseHostInterfaces(['cali+']);

function address(text: string): NetworkInterfaceInfo {
  const family = text.includes(':') ? 'IPv6' : 'IPv4';
  return { address: text, family, internal: text === '::1', netmask: '', mac: '', cidr: null, scopeid: 0 };
}

describe('agentHosts', () => {
  it('takes the first address of each family that is given, in its one spelling', () => {
    const given = ['10.0.0.1', '10.0.0.2', 'FD00:0::1'];
    assert.deepEqual(agentHosts({ flagName: 'host', given, interfaces, found: {} }), {
      v4: '10.0.0.1',
      v6: 'fd00::1',
    });
  });

  it("finds an IPv6 address of the node itself before one of a pod's interface", () => {
    const found = {
      lo: [address('::1')],
      cali1: [address('fd77::1')],
      eth0: [address('10.0.0.1'), address('fe80::1'), address('fd78::1')],
    };
    assert.deepEqual(agentHosts({ flagName: 'host', given: ['10.0.0.1'], interfaces, found }), {
      v4: '10.0.0.1',
      v6: 'fd78::1',
    });
  });

  it('has no IPv6 where the node has none but link-local', () => {
    const found = { eth0: [address('fe80::1')], lo: [address('::1')] };
    assert.deepEqual(agentHosts({ flagName: 'host', given: ['10.0.0.1'], interfaces, found }), {
      v4: '10.0.0.1',
    });
  });

  for (const [given, said] of [
    [[], /needs --host/],
    [['node-1'], /not an address/],
    [['010.0.0.1'], /not an address/],
  ] as const) {
    it(`refuses ${JSON.stringify(given)}`, () => {
      assert.throws(() => agentHosts({ flagName: 'host', given, interfaces, found: {} }), {
        code: 'ERR_USAGE',
        message: said,
      });
    });
  }
});
