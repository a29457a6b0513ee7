import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findOtherAgent } from './find-other-agent.ts';
import { parseHostInterfaces } from './host-interfaces.ts';
import { createFakeHost } from './testing/fake-host.ts';

const rule = (destination: string, from = '-i cali+ ') =>
  `-A PREROUTING -d 169.254.169.254/32 ${from}-p tcp -m tcp --dport 80 -j DNAT --to-destination ${destination}`;

function find(rules: readonly string[], interfaces = ['cali+']) {
  const host = createFakeHost({ 'iptables --version': '(nf_tables)', 'iptables -w': rules.join('\n') });
  for (const port of [8180, 8181, 8182]) host.listening.add(port);
  const { options } = host;
  return findOtherAgent({
    ...options,
    redirect: { ...options.redirect, interfaces: parseHostInterfaces(interfaces) },
  });
}

describe('findOtherAgent', () => {
  it('is where the rule leads', async () => {
    assert.equal(await find([rule('10.0.0.1:8180')]), '10.0.0.1:8180');
    assert.equal(await find([rule('10.0.0.1:8180', '')]), '10.0.0.1:8180');
    assert.equal(await find([rule('10.0.0.1:8180', '! -i eth0 ')], ['!eth0']), '10.0.0.1:8180');
  });

  for (const [what, rules, interfaces] of [
    ['there is no rule', []],
    ['nobody listens there', [rule('10.0.0.1:8189')]],
    ['the rule leads to us', [rule('10.0.0.1:8181')]],
    ['ours comes first', [rule('10.0.0.1:8181'), rule('10.0.0.1:8180')]],
    ['it leads to another host', [rule('10.0.0.2:8180')]],
    ['it is of another interface', [rule('10.0.0.1:8180', '-i docker0 ')]],
    ['one of our interfaces has none', [rule('10.0.0.1:8180')], ['cali+', 'eni+']],
    ['they lead to several', [rule('10.0.0.1:8180'), rule('10.0.0.1:8182', '-i eni+ ')], ['cali+', 'eni+']],
    ['several interfaces are excluded', [rule('10.0.0.1:8180', '')], ['!eth0', '!eth1']],
  ] as const) {
    it(`is none where ${what}`, async () => {
      assert.equal(await find(rules, interfaces && [...interfaces]), undefined);
    });
  }
});
