// The move from kiam's agent to ours and back, both on one node at the same time, while pods ask all the time. They try
// once. AWS SDKs wait one second by default, which a busy machine may need for itself: what is looked at instead is that
// no caller's kernel had to ask for its connection twice.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../end-to-end/eventually.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import type { KiamAgentCommands } from './kiam-agent-worker.ts';
import { runIn, setKernel } from './namespaces.ts';
import { type AgentOptions, agentPort as kiamPort, type Node, startNode } from './node.ts';
import type { NamespacedPodpass } from './podpass-in-namespace.ts';
import { secondSyns } from './second-syns.ts';
import { metadataIpv4 } from './topology.ts';
import { startWorker, type Worker } from './worker.ts';

const bound = { timeout: 120_000 };
/** Requests that are answered between any two changes, for each pod. */
const enough = 20;
const ourPort = 8182;
const keptConnections = 5;

for (const tool of ['iptables-nft', 'iptables-legacy']) {
  describe(`beside kiam's agent and its rule in ${tool}`, needs('netns', 'nft', 'iptables'), () => {
    const scope = suiteScope();
    let node: Node;
    let kiam: Worker<KiamAgentCommands>;

    beforeEach(async () => {
      if (node) return;
      node = await startNode(scope, { wiring: 'routed', pods: 2 });
      kiam = startWorker(scope, node.topology.node, join(import.meta.dirname, 'kiam-agent-worker.ts'));
      await startKiam();
    }, bound);

    /** In the order and the words of kiam. */
    const rule = (action: string) =>
      runIn(node.topology.node, 'sh', [
        '-c',
        `${tool} -t nat ${action} PREROUTING -p tcp -d ${metadataIpv4} --dport 80 -j DNAT --to-destination ${node.topology.nodeIpv4}:${kiamPort} -i cali+ --wait`,
      ]);

    async function startKiam(): Promise<void> {
      try {
        rule('-C');
      } catch {
        rule('-A');
      }
      const roles = Object.fromEntries(node.pods.map(({ network, role }) => [network.ipv4, role]));
      await kiam.start(node.topology.nodeIpv4, kiamPort, roles);
    }

    const startOurs = (options: Pick<AgentOptions, 'flags' | 'server' | 'early'> = {}) =>
      node.startAgent({
        rule: [
          '--iptables',
          '--firewall=nftables',
          '--host-interface=cali+',
          `--host=${node.topology.nodeIpv4}`,
        ],
        port: ourPort,
        ...options,
      });

    /** Resolves when our agent has seen that another one answers. */
    const leavesItTo = (ours: NamespacedPodpass) =>
      eventually(() => assert.ok(ours.log.some(({ msg }) => msg?.startsWith('another agent answers'))));

    const waits = () => node.pods.map(({ network }) => secondSyns(network.namespace));
    const goOn = () => Promise.all(node.pods.map(({ worker }) => worker.untilAnswered(enough)));

    /** One pod opens a connection for each request, the other keeps its own, while `change` happens. */
    async function underLoad(change: () => Promise<void>) {
      node.wiretap.forget();
      const before = waits();
      for (const [index, { worker, role }] of node.pods.entries()) {
        const loops = index === 0 ? { fresh: 5, kept: 0 } : { fresh: 0, kept: keptConnections };
        await worker.startLoad({ host: metadataIpv4, role, ...loops });
      }
      await goOn();
      await change();
      await goOn();
      const results = await Promise.all(node.pods.map(({ worker }) => worker.stopLoad()));
      for (const { wrong, failed } of results) {
        assert.deepEqual(wrong, []);
        assert.deepEqual(failed, []);
      }
      assert.deepEqual(node.wiretap.sources(), []);
      assert.deepEqual(waits(), before);
      return {
        answered: results.reduce((sum, result) => sum + result.answered, 0),
        repeated: results.reduce((sum, result) => sum + result.repeated, 0),
        slowest: Math.max(...results.map(({ slowest }) => slowest)),
      };
    }

    for (const removes of [true, false]) {
      it(`takes over and gives back, kiam ${removes ? 'removing' : 'leaving'} its rule`, bound, async (t) => {
        // Ours follow each other at one port, too.
        setKernel(node.topology.node, { 'net.ipv4.tcp_migrate_req': 1 });
        const { answered, repeated, slowest } = await underLoad(async () => {
          const ours = await startOurs();
          const before = await kiam.counts();
          await goOn();
          const after = await kiam.counts();
          // Whoever connects is ours; who was connected stays where it is.
          assert.equal(after.connections, before.connections);
          assert.ok(after.requests > before.requests);
          await kiam.stop();
          if (removes) rule('-D');
          await goOn();

          // The way back: kiam's agent first, then ours takes its rule away while it still answers.
          await startKiam();
          await goOn();
          assert.equal((await kiam.counts()).connections, after.connections);
          const last = await startOurs({ flags: ['--iptables-remove'] });
          await ours.terminate();
          await last.terminate();
          const tables = runIn(node.topology.node, 'nft', ['list', 'tables']);
          assert.doesNotMatch(tables, /podpass/);
          await goOn();
          assert.ok((await kiam.counts()).connections > after.connections + enough / 2);
        });
        t.diagnostic(`${answered} answered, ${repeated} resets of kept connections, longest ${slowest} ms`);
        // Each can be closed under a request by kiam's agent when it ends, and by each of ours.
        assert.ok(repeated <= 3 * keptConnections, `${repeated} resets of kept connections`);
      });
    }

    it('leaves the pods to it for as long as no server answers', bound, async () => {
      await underLoad(async () => {
        const ours = await startOurs({ server: 'localhost:1', early: true });
        await leavesItTo(ours);
        await wait(1_000);
        assert.match(await ours.telemetry('/readyz'), /the agent at 10\.78\.0\.1:8181 answers until/);
        await ours.terminate();
      });
    });

    it('lets nothing out, and holds the pods itself, when its rule goes before that', bound, async () => {
      const [pod] = node.pods;
      assert.ok(pod);
      const ours = await startOurs({ server: 'localhost:1', early: true });
      await leavesItTo(ours);
      node.wiretap.forget();
      await kiam.stop();
      rule('-D');
      const question = { host: metadataIpv4, path: '/latest/meta-data/iam/security-credentials/' };
      await eventually(async () => {
        const answer = await pod.worker.ask(question);
        assert.equal(answer.kind === 'answered' ? answer.status : answer.code, 503);
      });
      assert.deepEqual(node.wiretap.sources(), []);
      await ours.kill();
    });
  });
}
