// docs/from-kiam.md, command by command, on Kubernetes' own API server. Played are kiam's halves, kubelet and the DaemonSet
// controller, and the rule on the node: a pod asks the port of its node's agent. Agents reach servers from the address of
// their node, which is what --agent-scope=enforce goes by.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { needs } from '../parts/availability.ts';
import { type Cluster, startCluster } from '../parts/cluster.ts';
import { kubeconfigText } from '../parts/cluster-files.ts';
import { freePorts } from '../parts/free-ports.ts';
import { startAddressProxy } from './address-proxy.ts';
import { allowedKey, permittedKey, roleKey } from './annotate.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness } from './harness.ts';
import { startKiamAgent } from './kiam-agent.ts';
import { startKiamServer } from './kiam-server.ts';
import { type KiamContainer, onLoopback, readKiamManifest, startNodeMetadata } from './kiam-workload.ts';
import { readPage } from './page-commands.ts';
import { type PlayedNode, playKubelet, type Running } from './played-kubelet.ts';
import { type Load, startLoad } from './pod-load.ts';
import { type PodpassProcess, startPodpass } from './podpass-process.ts';
import { region, type SmallAws, startSmallAws, whoIs } from './small-aws.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 120_000 };
const kiamImage = 'example.invalid/kiam:v4.0';
const podpassImage = 'podpass:0.1.0';
const nodes: readonly PlayedNode[] = [
  { name: 'node-1', hostIP: '127.0.0.11' },
  { name: 'node-2', hostIP: '127.0.0.12' },
];
const masters: readonly PlayedNode[] = [
  { name: 'master-1', hostIP: '127.0.0.21' },
  { name: 'master-2', hostIP: '127.0.0.22' },
];
const pods = [
  { name: 'reader', role: 'reader', podIP: '127.99.0.1', node: 0 },
  { name: 'writer', role: 'writer', podIP: '127.99.0.2', node: 1 },
] as const;

/** What other images a step leaves running. */
const [look, one, rest] = ['1. Look', '2. One node', '3. Watch, then the rest'];
const [servers, gain, back] = ['4. Servers', '5. What there is to gain', 'The way back'];
const [inPlace, backInPlace] = ['Agents in place', 'Agents in place: the way back'];
const kiams = `kiam-agent ${kiamImage}`;
const ours = `podpass-agent ${podpassImage}`;
const leavesRunning: Readonly<Record<string, { readonly agents?: string[]; readonly server?: string }>> = {
  [one]: { agents: [kiams, kiams, ours] },
  [rest]: { agents: [ours, ours] },
  [servers]: { server: podpassImage },
  [back]: { agents: [kiams, kiams], server: kiamImage },
  [inPlace]: { agents: nodes.map(() => `kiam-agent ${podpassImage}`) },
  [backInPlace]: { agents: [kiams, kiams] },
};
/** The order in which servers are a Deployment, and the page's commands are read as it says. */
const withDeployment = 'servers first';

/** Agents of two kinds on one node are not noticed by anybody. */
const withoutRetry = [one, rest];
const orders = {
  'agents first': [look, one, rest, servers, gain, back],
  'servers first': [look, servers, one, rest, gain, back],
  'agents in place': [look, inPlace, servers, backInPlace],
};

for (const [first, headings] of Object.entries(orders)) {
  describe(`docs/from-kiam.md, ${first}`, needs('kube-apiserver', 'etcd', 'kubectl'), () => {
    const scope = suiteScope();
    const page = readPage('from-kiam.md');
    const isDeployment = first === withDeployment;
    let harness: Harness;
    let aws: SmallAws;
    let cluster: Cluster;
    let kubelet: ReturnType<typeof playKubelet>;
    let serverPorts: readonly number[];
    let agentPorts: readonly number[];
    let portsBeside: readonly number[];
    /** Where the agents of each node find the servers, so that these see the node's address. */
    let serversFrom: ReadonlyMap<PlayedNode, readonly number[]>;
    const enforcing = new Set<PodpassProcess>();
    /** Where the rule of each node leads. */
    let doors: number[];
    let serverFlags: readonly string[];
    let load: Load;

    before(async () => {
      harness = await createHarness(scope);
      aws = await startSmallAws(scope, ['reader', 'writer']);
      cluster = await startCluster(scope);
      const ports = await freePorts(6);
      serverPorts = ports.slice(0, 2);
      agentPorts = ports.slice(2, 4);
      portsBeside = ports.slice(4);
      doors = [...agentPorts];
      serversFrom = new Map(
        await Promise.all(
          nodes.map(async (node): Promise<[PlayedNode, readonly number[]]> => {
            const from = serverPorts.map((port) => startAddressProxy(scope, port, node.hostIP));
            return [node, await Promise.all(from)];
          }),
        ),
      );
      await eventually(() => cluster.createServiceAccount('default', 'kube-system'), 30_000);
      await cluster.createNamespace('team', { [permittedKey]: '.*' });
      await cluster.createNamespace('leftover', { [allowedKey]: '["writer"]' });
      for (const [role, list] of [
        ['node', nodes],
        ['master', masters],
      ] as const) {
        for (const { name } of list) {
          const metadata = { name, labels: { 'kubernetes.io/role': role } };
          await cluster.must('POST', '/api/v1/nodes', { body: { apiVersion: 'v1', kind: 'Node', metadata } });
        }
      }
      for (const { name, role, podIP, node } of pods) {
        const at = { nodeName: nodes[node]?.name ?? '', hostIP: nodes[node]?.hostIP ?? '', podIP };
        await cluster.createPod({ name, namespace: 'team', annotations: { [roleKey]: role }, ...at });
      }
      for (const file of [
        'server-rbac.yaml',
        'service.yaml',
        isDeployment ? 'server.deployment.yaml' : 'server.daemonset.yaml',
        'agent.yaml',
      ]) {
        await cluster.applyManifest(
          readKiamManifest(file)
            .replace(`image: ${podpassImage}`, `image: ${kiamImage}`)
            .replace('replicas: 3', `replicas: ${masters.length}`),
        );
      }
      const token = await cluster.tokenFor('kiam-server', { namespace: 'kube-system' });
      const kubeconfig = join(harness.folder, 'kubeconfig');
      writeFileSync(kubeconfig, kubeconfigText(cluster.url, cluster.caPem, token), { mode: 0o600 });
      serverFlags = [
        `--kubeconfig=${kubeconfig}`,
        `--sts-endpoint=${aws.url}`,
        `--region=${region}`,
        `--metadata-endpoint=${await startNodeMetadata(scope, aws)}`,
      ];
      kubelet = playKubelet(scope, cluster, [
        {
          name: 'kiam-server',
          nodes: masters,
          start: startServer,
          ...(isDeployment ? { kind: 'deployment' } : {}),
        },
        { name: 'kiam-agent', nodes, start: startAgent },
        { name: 'podpass-agent', nodes, start: startBeside },
      ]);
      await eventually(() => assert.equal(kubelet.images().length, 4), 30_000);
      kubelet.check();
      load = startLoad(pods, (node) => doors[node] ?? 0);
    }, bound);

    async function startServer({ image, args }: KiamContainer, node: PlayedNode): Promise<Running> {
      const port = serverPorts[masters.indexOf(node)] ?? 0;
      if (image === kiamImage) {
        // kiam ends at a flag that it does not know.
        assert.ok(!args.some((arg) => arg.startsWith('--agent-scope')), args.join(' '));
        const kiam = await startKiamServer(scope, harness.tls, port);
        for (const { podIP, role } of pods) kiam.pods.set(podIP, { role, accessKeyId: `ASIAKIAM${role}` });
        return kiam;
      }
      const flags = [
        ...onLoopback(args.slice(1), { tlsFolder: harness.folder, serverPorts: [port] }),
        ...serverFlags,
      ];
      const process = await startPodpass({ scope, command: 'server', flags, env: aws.serverEnv });
      await process.untilReady();
      if (args.includes('--agent-scope=enforce')) enforcing.add(process);
      return {
        async stop() {
          enforcing.delete(process);
          await process.terminate();
        },
      };
    }

    async function startAgent({ image, args }: KiamContainer, node: PlayedNode): Promise<Running> {
      const agentPort = agentPorts[nodes.indexOf(node)] ?? 0;
      const serverPorts = serversFrom.get(node) ?? [];
      if (image === kiamImage) return startKiamAgent(scope, harness.tls, { port: agentPort, serverPorts });
      return startOurs(args, node, agentPort);
    }

    /** It takes the rule when it is ready, and gives it back before it ends if its arguments say so. */
    async function startBeside({ image, args, readinessProbe }: KiamContainer, node: PlayedNode) {
      assert.equal(image, podpassImage);
      assert.ok(args.includes('--port=8182') && args.includes('--firewall=nftables'), args.join(' '));
      assert.deepEqual(readinessProbe?.httpGet, { path: '/readyz', port: 9621, scheme: 'HTTP' });
      const index = nodes.indexOf(node);
      const agent = await startOurs(args, node, portsBeside[index] ?? 0);
      doors[index] = portsBeside[index] ?? 0;
      return {
        async stop() {
          if (args.includes('--iptables-remove')) doors[index] = agentPorts[index] ?? 0;
          await agent.stop();
        },
      };
    }

    async function startOurs(args: readonly string[], node: PlayedNode, agentPort: number): Promise<Running> {
      const flags = onLoopback(args.slice(1), {
        tlsFolder: harness.folder,
        serverPorts: serversFrom.get(node) ?? [],
        agentPort,
      });
      const process = await startPodpass({
        scope,
        command: 'agent',
        flags: [...flags, '--listen-host=127.0.0.1', '--metadata-endpoint=http://127.0.0.1:9'],
        env: { HOST_IP: node.hostIP },
      });
      await process.untilReady();
      return { stop: process.terminate };
    }

    it('has commands under each step', () => {
      assert.match(page.setUp, /^export PODPASS_IMAGE=podpass:0\.1\.0$/m);
      assert.deepEqual(page.headings.toSorted(), [...new Set(Object.values(orders).flat())].sort());
    });

    /** Agents have come to servers that refuse those that do not. */
    async function allShowTheirNode(): Promise<void> {
      const calls = async (labels: Record<string, string>) => {
        const counts = [...enforcing].map((process) => process.metric('podpass_agent_calls_total', labels));
        return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
      };
      assert.equal(enforcing.size, masters.length);
      await eventually(async () => assert.ok((await calls({ proof: 'address', outcome: 'served' })) >= 2));
      assert.equal(await calls({ outcome: 'refused' }), 0);
    }

    let [agents, server] = [[kiams, kiams], kiamImage];
    for (const heading of headings) {
      it(`${heading}: no request fails`, bound, async () => {
        const answeredBefore = load.answered();
        const retriedBefore = load.retried();
        let printed = '';
        for (const { script } of page.blocksUnder(heading)) {
          const own = isDeployment
            ? script.replaceAll('daemonset/kiam-server', 'deployment/kiam-server')
            : script;
          const at = { scope, folder: harness.folder, kubeconfig: cluster.kubeconfig };
          printed += await page.run(own, at).finally(kubelet.check);
        }
        ({ agents = agents, server = server } = leavesRunning[heading] ?? {});
        const expected = [...agents, ...masters.map(() => `kiam-server ${server}`)];
        await eventually(() => assert.deepEqual(kubelet.images(), expected.sort()), 30_000);
        await eventually(() => assert.ok(load.answered() > answeredBefore + 10));
        assert.deepEqual(load.failed, []);
        if (heading === look)
          assert.deepEqual(printed.match(/^.*\["writer"\]$|^team\t.*$/gm), ['leftover\t["writer"]']);
        if (heading === gain) await allShowTheirNode();
        if (withoutRetry.includes(heading)) assert.equal(load.retried(), retriedBefore);
      });
    }

    it('has every pod served, from the first step to the last', bound, async (t) => {
      await load.stop();
      await kubelet.stop();
      assert.deepEqual(load.failed, []);
      const issuers = new Set<string>();
      for (const { role, credentials } of load.served.values()) {
        const ofKiam = credentials.AccessKeyId.startsWith('ASIAKIAM');
        issuers.add(ofKiam ? 'kiam' : 'podpass');
        // By the word of STS: a name in a list could be right where the credentials are wrong.
        if (ofKiam) assert.equal(credentials.AccessKeyId, `ASIAKIAM${role}`);
        else assert.match(await whoIs(aws.url, credentials), new RegExp(`:assumed-role/${role}/`));
      }
      assert.deepEqual([...issuers].sort(), ['kiam', 'podpass']);
      t.diagnostic(
        `${load.answered()} answered, ${load.retried()} tries repeated, longest ${load.longest()} ms`,
      );
    });
  });
}
