// What kiam left in iptables is taken over, and what we install kiam's agent recognises: it asks with `-C` first.
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { createFirewallBench, type FirewallBench } from './firewall-bench.ts';
import { metadataIpv4, nodeIpv4 } from './topology.ts';

const bound = { timeout: 120_000 };
const request = '-p tcp -d 169.254.169.254 --dport 80';
const toAgent = `-j DNAT --to-destination ${nodeIpv4}:8181`;

describe("kiam's rule", needs('netns', 'nft', 'iptables'), () => {
  const scope = suiteScope();
  let bench: FirewallBench;

  beforeEach(async () => {
    bench ??= await createFirewallBench(scope, { wiring: 'routed', pods: 1 });
    bench.onNode(
      'nft flush ruleset; for t in nat filter; do iptables-legacy -t $t -F; iptables-legacy -t $t -X; done',
    );
    bench.log.length = 0;
  }, bound);

  const redirects = (tool: string) =>
    bench.onNode(`${tool} -t nat -S PREROUTING`).match(/^-A .*169\.254\.169\.254.*$/gm) ?? [];

  for (const tool of ['iptables-nft', 'iptables-legacy']) {
    for (const rule of [
      `${request} ${toAgent} -i cali+`,
      `-i cali+ ${request} ${toAgent}`,
      `-d 169.254.169.254/32 -i cali+ -p tcp -m tcp --dport 80 ${toAgent}`,
    ]) {
      it(`in ${tool} as "${rule}" stays the only one`, bound, async () => {
        bench.onNode(`${tool} -t nat -A PREROUTING ${rule} --wait`);
        await bench.install();
        assert.equal(redirects(tool).length, 1);
        assert.doesNotMatch(bench.onNode('nft list tables'), /podpass/);
        assert.match((await bench.pods[0]?.call(metadataIpv4, 80, 2_000)) ?? '', /^agent/);
      });
    }

    it(`to elsewhere in ${tool} is replaced, and said`, bound, async () => {
      bench.onNode(
        `${tool} -t nat -A PREROUTING ${request} -i cali+ -j DNAT --to-destination 10.78.0.9:8181`,
      );
      await bench.install();
      assert.deepEqual(
        redirects(tool).map((line) => /to-destination (\S+)/.exec(line)?.[1]),
        [`${nodeIpv4}:8181`],
      );
      assert.ok(bench.log.some((line) => /^warning: replaced a rule .*10\.78\.0\.9/.test(line)));
      assert.match((await bench.pods[0]?.call(metadataIpv4, 80, 2_000)) ?? '', /^agent/);
    });
  }

  for (const [interfaces, asKiam] of [
    ['cali+', '-i cali+'],
    ['!eth0', '! -i eth0'],
  ] as const) {
    it(`is what --firewall=iptables makes of ${interfaces}`, bound, async () => {
      await bench.install({ kind: 'iptables', interfaces: [interfaces] });
      bench.onNode(`iptables -t nat -C PREROUTING ${request} ${toAgent} ${asKiam} --wait`);
      assert.equal(redirects('iptables').length, 1);
    });
  }

  it('to elsewhere has no effect beside our table, and is said', bound, async () => {
    bench.onNode(`iptables -t nat -A PREROUTING ${request} -i cali+ -j DNAT --to-destination 10.78.0.9:8181`);
    await bench.install({ kind: 'nftables' });
    assert.equal(redirects('iptables').length, 1);
    assert.ok(
      bench.log.some((line) =>
        line.startsWith('warning: a rule of iptables sends metadata requests elsewhere'),
      ),
    );
    assert.match((await bench.pods[0]?.call(metadataIpv4, 80, 2_000)) ?? '', /^agent/);
  });

  it('takes the place of our table when the operator says iptables', bound, async () => {
    await bench.install({ kind: 'nftables', port: 8282 });
    await bench.install({ kind: 'iptables' });
    assert.doesNotMatch(bench.onNode('nft list tables'), /podpass/);
    assert.match((await bench.pods[0]?.call(metadataIpv4, 80, 2_000)) ?? '', /^agent/);
  });
});
