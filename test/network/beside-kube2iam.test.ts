// The move from kube2iam to us and back, both on one node at the same time, while pods ask all the time. They try once,
// and no caller's kernel has to ask for its connection twice.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { preStop } from '../end-to-end/kube2iam-workload.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import type { KiamAgentCommands } from './kiam-agent-worker.ts';
import { runIn, setKernel } from './namespaces.ts';
import { secondSyns } from './second-syns.ts';
import { startStandalone } from './standalone-in-world.ts';
import { metadataIpv4, nodeIpv4 } from './topology.ts';
import { underLoad } from './under-load.ts';
import { startWorker, type Worker } from './worker.ts';
import { startWorld, type World } from './world.ts';

const bound = { timeout: 120_000 };
const port = 8181;
/** As docs/from-kube2iam.md has them. */
const beside = ['--host-interface=eni+', '--app-port=8182', '--firewall=nftables'];
const load = { host: metadataIpv4, fresh: 5, kept: 1 };

for (const tool of ['iptables-nft', 'iptables-legacy']) {
  describe(`beside kube2iam and its rule in ${tool}`, needs('netns', 'nft', 'iptables'), () => {
    const scope = suiteScope();
    let world: World;
    let kube2iam: Worker<KiamAgentCommands>;

    const onNode = (script: string) => runIn(world.topology.node, 'sh', ['-c', script]);
    const rules = () => onNode(`${tool} -t nat -S PREROUTING`).match(/169\.254\.169\.254/g)?.length ?? 0;

    before(async () => {
      world = await startWorld(scope, { wiring: 'routed', prefix: 'eni', pods: 2 });
      kube2iam = startWorker(scope, world.topology.node, join(import.meta.dirname, 'kiam-agent-worker.ts'));
      await startKube2iam();
    }, bound);

    /** As far as pods notice it is kiam's agent. The rule is in its words and their order. */
    async function startKube2iam(): Promise<void> {
      onNode(
        `${tool} -t nat -A PREROUTING -p tcp -d ${metadataIpv4} --dport 80 -j DNAT --to-destination ${nodeIpv4}:${port} -i eni+ --wait`,
      );
      const roles = Object.fromEntries(world.pods.map(({ network, role }) => [network.ipv4, role]));
      await kube2iam.start(nodeIpv4, port, roles);
    }

    it("takes over and gives back, and kube2iam's hook finds nothing of it", bound, async (t) => {
      // Ours follow each other at one port.
      setKernel(world.topology.node, { 'net.ipv4.tcp_migrate_req': 1 });
      const waits = () => world.pods.map(({ network }) => secondSyns(network.namespace));
      const waited = waits();
      const { failed, repeated, slowest } = await underLoad(world, load, async (goOn) => {
        const ours = await startStandalone(scope, world, beside);
        const before = await kube2iam.counts();
        await goOn();
        assert.equal((await kube2iam.counts()).connections, before.connections);

        const [, , hook = ''] = preStop.exec.command;
        onNode(hook.replaceAll('iptables', tool));
        assert.equal(rules(), 0);
        assert.match(onNode('nft list tables'), /inet podpass/);
        await kube2iam.stop();
        await goOn();

        // The way back: kube2iam first, then ours takes its rule away while it still answers.
        await startKube2iam();
        await goOn();
        assert.equal((await kube2iam.counts()).connections, before.connections);
        const last = await startStandalone(scope, world, [...beside, '--iptables-remove']);
        await ours.terminate();
        await last.terminate();
        assert.doesNotMatch(onNode('nft list tables'), /podpass/);
        await goOn();
        assert.ok((await kube2iam.counts()).connections > before.connections + 5);
      });
      t.diagnostic(`${repeated} resets of kept connections, longest ${slowest} ms`);
      assert.deepEqual(failed, []);
      assert.deepEqual(waits(), waited);
      // Each can be closed under a request by kube2iam when it ends, and by each of ours.
      assert.ok(repeated <= 3 * world.pods.length * load.kept, `${repeated} resets of kept connections`);
    });
  });
}
