import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redirectOf } from './agent-firewall.ts';

const flags = {
  host: ['10.0.0.1', 'fd00::1'],
  port: 8181,
  listenHost: undefined,
  iptables: true,
  iptablesRemove: false,
  hostInterface: ['cali+'],
  firewall: 'auto',
  firewallCheckInterval: 10_000,
  routeGuard: true,
} as const;

describe('redirectOf', () => {
  it('is the first address of each family, and the port', () => {
    const { hosts, port } = redirectOf(flags);
    assert.deepEqual({ hosts, port }, { hosts: { v4: '10.0.0.1', v6: 'fd00::1' }, port: 8181 });
  });

  for (const listenHost of ['10.0.0.1', '0.0.0.0', '::']) {
    it(`takes --listen-host=${listenHost}`, () => {
      assert.doesNotThrow(() => redirectOf({ ...flags, listenHost }));
    });
  }

  for (const [wrong, said] of [
    [{ port: 0 }, /--port that the rule can name/],
    [
      { listenHost: '127.0.0.1' },
      /--listen-host=127\.0\.0\.1 is not where the rule .* \(10\.0\.0\.1, fd00::1\)/,
    ],
    [{ host: [] }, /HOST_IP from status\.podIP/],
    [{ hostInterface: ['cali+', '!eth0'] }, /--host-interface cannot be used/],
  ] as const) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => redirectOf({ ...flags, ...wrong }), { code: 'ERR_USAGE', message: said });
    });
  }
});
