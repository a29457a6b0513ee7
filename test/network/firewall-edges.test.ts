// Interfaces, false sources, rights: what goes wrong on real nodes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { createFirewallBench, type FirewallBench } from './firewall-bench.ts';
import { ipIn } from './namespaces.ts';
import { metadataIpv4, metadataIpv6 } from './topology.ts';

const bound = { timeout: 120_000 };
const hosts = [metadataIpv4, metadataIpv6];

/** A container's processes: root, or a user that was given the capability itself. */
const netAdmin = ['--inh-caps=-all,+net_admin', '--bounding-set=-all,+net_admin'];
const user = ['--reuid=65532', '--regid=65532', '--clear-groups'];
const nothing = ['setpriv', '--inh-caps=-all', '--bounding-set=-all'];

const leftovers = /podpass|169\.254\.169\.254|fd00:ec2::254/i;

describe('the rule on nodes of all kinds', needs('netns', 'nft', 'iptables'), () => {
  const scope = suiteScope();
  let bench: FirewallBench;

  before(async () => {
    bench = await createFirewallBench(scope, { wiring: 'routed', pods: 2 });
  }, bound);

  const answers = () => Promise.all(hosts.map((host) => bench.pods[1]?.call(host, 80, 500)));

  for (const kind of ['nftables', 'iptables'] as const) {
    for (const interfaces of [['!eth0'], ['!eth0', '!eth1'], ['eni+', 'cali+'], ['cali0', 'cali1'], ['+']]) {
      it(`${kind} catches pods by --host-interface=${interfaces}`, bound, async () => {
        const firewall = await bench.install({ kind, interfaces });
        for (const answer of await answers()) assert.match(answer ?? '', /^agent/);
        await firewall.remove();
      });
    }

    for (const interfaces of [['eni+'], ['!cali+'], ['cali0']]) {
      it(
        `${kind} with --host-interface=${interfaces} gives other pods nothing of the node's`,
        bound,
        async () => {
          const firewall = await bench.install({ kind, interfaces });
          for (const answer of await answers()) assert.doesNotMatch(answer ?? '', /agent|EC2/);
          await firewall.remove();
        },
      );
    }

    it(`${kind} can be installed again with other interfaces`, bound, async () => {
      await bench.install({ kind, interfaces: ['!eth0', '!eth1'] });
      const firewall = await bench.install({ kind, interfaces: ['cali+'] });
      for (const answer of await answers()) assert.match(answer ?? '', /^agent/);
      await firewall.remove();
      assert.doesNotMatch(bench.onNode('iptables-save -t nat; ip6tables-save -t nat'), /-A PREROUTING/);
    });

    it(`${kind} can be installed again with another port`, bound, async () => {
      await bench.install({ kind, interfaces: ['!eth0', '!eth1'], port: 8282 });
      const firewall = await bench.install({ kind, interfaces: ['!eth0', '!eth1'] });
      for (const answer of await answers()) assert.match(answer ?? '', /^agent/);
      await firewall.remove();
    });
  }

  it('names the interfaces through which packets arrive that it does not know', bound, async () => {
    const firewall = await bench.install({ kind: 'nftables', interfaces: ['docker0'] });
    assert.ok(bench.log.some((line) => line.startsWith('warning: no interface of this node is docker0')));
    await answers();
    const stop = new AbortController();
    const watching = firewall.watch(stop.signal);
    await bench.clock.advance(10_000);
    await bench.logged('metadata requests arrive through interfaces');
    stop.abort();
    await watching;
    await firewall.remove();
  });

  it(
    'lets no pod speak from the address of another, whatever the kernel checks by itself',
    bound,
    async () => {
      const [first, second] = bench.topology.pods;
      if (!first || !second) throw new Error('unreachable');
      // The first pod has the second one's addresses, too. Both ways of the kernel's own check are off.
      ipIn(first.namespace, [
        `address add ${second.ipv4}/32 dev eth0`,
        `address add ${second.ipv6}/128 dev eth0 nodad`,
      ]);
      const firewall = await bench.install({ kind: 'nftables' });
      const dropped = () =>
        /oifname "cali\*" counter packets (\d+)/.exec(
          bench.onNode('nft list chain inet podpass source'),
        )?.[1];
      assert.equal(dropped(), '0');
      assert.equal(await bench.pods[0]?.call(metadataIpv4, 80, 400, second.ipv4), 'silence');
      assert.equal(await bench.pods[0]?.call(metadataIpv6, 80, 400, second.ipv6), 'silence');
      assert.notEqual(dropped(), '0');
      assert.equal(await bench.pods[0]?.call(metadataIpv4, 80, 2_000, first.ipv4), `agent ${first.ipv4}`);
      await firewall.remove();
    },
  );

  it('does not mind that answers take another way, where no other pod is on it', bound, async () => {
    const [pod] = bench.topology.pods;
    if (!pod) throw new Error('unreachable');
    // As with security groups for pods: what comes back to a pod is routed by rules that depend on where it comes from.
    ipIn(bench.topology.node, [
      `route del ${pod.ipv4}/32`,
      `route add ${pod.ipv4}/32 dev ${pod.nodeInterface} table 100`,
      `rule add pref 200 from ${bench.topology.nodeIpv4} lookup 100`,
    ]);
    const firewall = await bench.install({ kind: 'nftables' });
    assert.equal(await bench.pods[0]?.call(metadataIpv4, 80, 2_000, pod.ipv4), `agent ${pod.ipv4}`);
    await firewall.remove();
    ipIn(bench.topology.node, [`route add ${pod.ipv4}/32 dev ${pod.nodeInterface}`, 'rule del pref 200']);
  });

  it('leaves the node its own way where the kernel checks the source of what comes back', bound, async () => {
    const check = (value: number) =>
      bench.onNode(
        `for name in all default eth0; do echo ${value} > /proc/sys/net/ipv4/conf/$name/rp_filter; done`,
      );
    check(1);
    const firewall = await bench.install({ kind: 'nftables' });
    for (const host of hosts) assert.match(await bench.node.call(host, 80, 2_000), /^EC2/);
    for (const answer of await answers()) assert.match(answer ?? '', /^agent/);
    await firewall.remove();
    check(0);
  });

  it(
    'leaves the metadata service open to others without the guard, and closes it with the guard alone',
    bound,
    async () => {
      const open = await bench.install({ kind: 'nftables', interfaces: ['eni+'], routeGuard: false });
      for (const answer of await answers()) assert.match(answer ?? '', /^EC2/);
      await open.remove();
      const guarded = await bench.install({ kind: 'nftables' });
      bench.onNode('nft flush ruleset');
      for (const answer of await answers()) assert.doesNotMatch(answer ?? '', /agent|EC2/);
      for (const host of hosts) assert.match(await bench.node.call(host, 80, 2_000), /^EC2/);
      // The flag is heeded though the rules of the start before are there.
      const opened = await bench.install({ kind: 'nftables', interfaces: ['eni+'], routeGuard: false });
      for (const answer of await answers()) assert.match(answer ?? '', /^EC2/);
      await opened.remove();
      await guarded.remove();
    },
  );

  for (const [who, privileges] of [
    ['root', netAdmin],
    ['a user', [...user, ...netAdmin, '--ambient-caps=-all,+net_admin']],
  ] as const) {
    for (const kind of ['nftables', 'iptables'] as const) {
      it(`is installed in ${kind} by ${who} with NET_ADMIN and nothing else`, bound, async () => {
        const firewall = await bench.install({ kind, through: ['setpriv', ...privileges] });
        for (const answer of await answers()) assert.match(answer ?? '', /^agent/);
        await firewall.remove();
        assert.deepEqual(
          bench.log.filter((line) => /guard|could not/.test(line)),
          [],
        );
        bench.log.length = 0;
      });
    }
  }

  for (const kind of ['nftables', 'iptables'] as const) {
    it(`is removed from ${kind} by the commands of docs/firewall.md`, bound, async () => {
      const page = readFileSync(join(import.meta.dirname, '../../docs/firewall.md'), 'utf8');
      const commands = [...page.matchAll(/^```\n(.*?)^```$/gms)].at(-1)?.[1] ?? '';
      assert.match(commands, /nft delete table/);
      await bench.install({ kind, interfaces: ['cali+'] });
      bench.onNode(`{ ${commands} } >/dev/null 2>&1 || true`);
      for (const host of hosts) assert.match((await bench.pods[1]?.call(host, 80, 1_000)) ?? '', /^EC2/);
      assert.doesNotMatch(
        bench.onNode('nft list ruleset; iptables-save; ip6tables-save; ip rule; ip -6 rule'),
        leftovers,
      );
    });
  }

  it('is not installed without NET_ADMIN, and that ends the start', bound, async () => {
    await assert.rejects(bench.install({ through: nothing }), {
      code: 'ERR_FIREWALL',
      message: /nftables: .*not permitted.*iptables: /s,
    });
  });
});
