// The rule in a real kernel: pods, their node and EC2 are network namespaces; what is asked are plain servers.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { createFirewallBench, type FirewallBench } from './firewall-bench.ts';
import { metadataIpv4, metadataIpv6 } from './topology.ts';

const bound = { timeout: 120_000 };
const hosts = [metadataIpv4, metadataIpv6];

for (const kind of ['nftables', 'iptables'] as const) {
  for (const wiring of ['bridge', 'routed'] as const) {
    describe(`the rule in ${kind}, ${wiring} pods`, needs('netns', 'nft', 'iptables'), () => {
      const scope = suiteScope();
      let bench: FirewallBench;

      before(async () => {
        bench = await createFirewallBench(scope, { wiring });
      }, bound);

      it('is needed: without it pods reach EC2', bound, async () => {
        for (const host of hosts) {
          assert.match((await bench.pods[0]?.call(host, 80, 2_000)) ?? '', /^EC2/);
        }
      });

      it('sends requests of both families to the agent, which sees the pod', bound, async () => {
        // As on every node, something (kube-proxy) has connections tracked from the beginning.
        bench.onNode(
          'nft -f -',
          'table inet other { chain f { type filter hook forward priority 0; ct state established accept; }; }',
        );
        const before = await bench.pods[0]?.open(metadataIpv4, 80);
        assert.match(before?.said ?? '', /^EC2/);
        await bench.install({ kind });
        for (const [index, pod] of bench.topology.pods.entries()) {
          assert.equal(await bench.pods[index]?.call(metadataIpv4, 80, 2_000), `agent ${pod.ipv4}`);
          assert.equal(await bench.pods[index]?.call(metadataIpv6, 80, 2_000), `agent ${pod.ipv6}`);
        }
        const after = await bench.pods[0]?.askAgain(before?.id ?? 0, 500);
        assert.equal(after, kind === 'nftables' ? 'ECONNRESET' : 'silence');
      });

      it(
        'leaves other ports of the metadata service unreachable, and the node its own way',
        bound,
        async () => {
          assert.doesNotMatch((await bench.pods[0]?.call(metadataIpv4, 81, 300)) ?? '', /EC2/);
          for (const host of hosts) assert.match(await bench.node.call(host, 80, 2_000), /^EC2/);
        },
      );

      it('is one rule, however often it is installed', bound, async () => {
        const listing = () =>
          bench
            .onNode('nft -s list ruleset; iptables-save; ip rule; ip -6 rule')
            .replaceAll(/\[\d+:\d+\]|^#.*$/gm, '');
        const once = listing();
        await bench.install({ kind });
        assert.equal(listing(), once);
      });

      it('holds callers while no agent listens', bound, async () => {
        await bench.node.stopServing(8181);
        const answers = hosts.map((host) => bench.pods[0]?.call(host, 80, 5_000));
        await new Promise((resolve) => setTimeout(resolve, 300));
        await bench.node.serve(8181, 'agent');
        for (const answer of await Promise.all(answers)) assert.match(answer ?? '', /^agent/);
        // Other ports refuse at once, as ever.
        assert.equal(await bench.pods[0]?.call(bench.topology.nodeIpv4, 8182, 500), 'ECONNREFUSED');
      });

      it('leaks nothing while every table is flushed, and is repaired', bound, async () => {
        const firewall = await bench.install({ kind });
        const stop = new AbortController();
        const watching = firewall.watch(stop.signal);
        await new Promise((resolve) => setImmediate(resolve));
        const hammering = bench.pods[0]?.hammer(hosts, 1_500);
        for (let round = 0; round < 3; round++) {
          bench.onNode('nft flush ruleset; iptables-legacy -t nat -F; iptables-legacy -F');
          await new Promise((resolve) => setTimeout(resolve, 200));
          await bench.clock.advance(10_000);
          await bench.logged('it is installed again', round + 1);
        }
        const outcomes = Object.keys((await hammering) ?? {});
        stop.abort();
        await watching;
        assert.equal(outcomes.filter((outcome) => outcome.startsWith('EC2')).length, 0, outcomes.join());
        assert.ok(
          outcomes.some((outcome) => outcome.startsWith('agent')),
          outcomes.join(),
        );
        assert.match((await bench.pods[0]?.call(metadataIpv4, 80, 2_000)) ?? '', /^agent/);
      });

      it('gives everything back when it is removed', bound, async () => {
        const firewall = await bench.install({ kind });
        await firewall.remove();
        for (const host of hosts) assert.match((await bench.pods[0]?.call(host, 80, 2_000)) ?? '', /^EC2/);
        assert.doesNotMatch(
          bench.onNode('nft list ruleset; iptables-save; ip rule; ip -6 rule'),
          /podpass|169\.254|fd00:ec2/i,
        );
        assert.ok(bench.log.includes('info: undoing iptables changes'));
        assert.ok(bench.log.includes('info: iptables rule was successfully removed'));
      });
    });
  }
}
