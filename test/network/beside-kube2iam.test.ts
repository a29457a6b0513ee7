// The move from kube2iam to us and back, both on one node at the same time, while pods ask without a pause. They try once
// and wait a second, as the AWS SDKs do by default.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { preStop } from '../end-to-end/kube2iam-workload.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import type { KiamAgentCommands } from './kiam-agent-worker.ts';
import { runIn } from './namespaces.ts';
import { startStandalone } from './standalone-in-world.ts';
import { metadataIpv4, nodeIpv4 } from './topology.ts';
import { underLoad } from './under-load.ts';
import { startWorker, type Worker } from './worker.ts';
import { startWorld, type World } from './world.ts';

const bound = { timeout: 60_000 };
const port = 8181;
/** As docs/from-kube2iam.md has them. */
const beside = ['--host-interface=eni+', '--app-port=8182', '--firewall=nftables'];
/** Each connection that is kept may be reset once, when kube2iam ends. */
const load = { host: metadataIpv4, fresh: 3, kept: 1, pauseMillis: 10, boundMillis: 1_000 };
const kept = /^ECONNRESET on a kept connection /;

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
      const { failed, slowest } = await underLoad(world, load, async () => {
        const ours = await startStandalone(scope, world, beside);
        const before = await kube2iam.counts();
        await wait(300);
        assert.equal((await kube2iam.counts()).connections, before.connections);

        const [, , hook = ''] = preStop.exec.command;
        onNode(hook.replaceAll('iptables', tool));
        assert.equal(rules(), 0);
        assert.match(onNode('nft list tables'), /inet podpass/);
        await kube2iam.stop();
        await wait(300);

        // The way back: kube2iam first, then ours takes its rule away while it still answers.
        await startKube2iam();
        await wait(300);
        assert.equal((await kube2iam.counts()).connections, before.connections);
        const last = await startStandalone(scope, world, [...beside, '--iptables-remove']);
        await ours.terminate();
        await last.terminate();
        assert.doesNotMatch(onNode('nft list tables'), /podpass/);
        await wait(300);
        assert.ok((await kube2iam.counts()).connections > before.connections + 5);
      });
      t.diagnostic(`${failed.length} resets of kept connections, longest ${slowest} ms`);
      assert.deepEqual(
        failed.filter((problem) => !kept.test(problem)),
        [],
      );
      assert.ok(failed.length <= world.pods.length * load.kept, failed.join(', '));
    });
  });
}
