// docs/from-kube2iam.md, command by command, on Kubernetes' own API server, with kube2iam's rights until the page gives
// more. Played are kube2iam, kubelet and the DaemonSet controller, and the rule on the node: a pod asks the port of what
// has the rule of its node.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { needs } from '../parts/availability.ts';
import { type Cluster, startCluster } from '../parts/cluster.ts';
import { kubeconfigText } from '../parts/cluster-files.ts';
import { freePorts } from '../parts/free-ports.ts';
import { roleKey } from './annotate.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness } from './harness.ts';
import { type KiamContainer, startNodeMetadata } from './kiam-workload.ts';
import { accessKeyOfKube2iam, startKube2iam } from './kube2iam-node.ts';
import {
  argumentsBefore,
  expand,
  kube2iamBefore,
  kube2iamImage,
  onLoopback,
  preStop,
  readKube2iamManifest,
} from './kube2iam-workload.ts';
import { readPage } from './page-commands.ts';
import { type PlayedNode, playKubelet, type Running } from './played-kubelet.ts';
import { type Load, startLoad } from './pod-load.ts';
import { startPodpass } from './podpass-process.ts';
import { region, type SmallAws, startSmallAws, whoIs } from './small-aws.ts';
import { suiteScope } from './suite-scope.ts';

const allowedRolesKey = 'iam.amazonaws.com/allowed-roles';
const bound = { timeout: 120_000 };
const podpassImage = 'podpass:0.1.0-kube2iam';
const nodes: readonly PlayedNode[] = [
  { name: 'node-1', hostIP: '127.0.0.11' },
  { name: 'node-2', hostIP: '127.0.0.12' },
];
const pods = [
  { name: 'reader', role: 'reader', podIP: '127.94.0.1', node: 0 },
  { name: 'writer', role: 'writer', podIP: '127.94.0.2', node: 1 },
] as const;

const [look, one, rest] = ['1. Look', '2. One node', '3. Watch, then the rest'];
const [gain, back] = ['4. What there is to gain', 'The way back'];
const [inPlace, backInPlace] = ['In place', 'In place: the way back'];
const theirs = `kube2iam ${kube2iamImage}`;
const ours = `podpass ${podpassImage}`;
/** What a step leaves running, where it changes that. */
const leavesRunning: Readonly<Record<string, readonly string[]>> = {
  [one]: [theirs, theirs, ours],
  [rest]: [ours, ours],
  [back]: [theirs, theirs],
  [inPlace]: nodes.map(() => `kube2iam ${podpassImage}`),
  [backInPlace]: [theirs, theirs],
};
/** Two on one node are not noticed by anybody. */
const withoutRetry = [one, rest];
const orders = {
  'side by side': [look, one, rest, gain, back],
  'in place': [look, inPlace, backInPlace],
};

for (const [way, headings] of Object.entries(orders)) {
  describe(`docs/from-kube2iam.md, ${way}`, needs('kube-apiserver', 'etcd', 'kubectl'), () => {
    const scope = suiteScope();
    const page = readPage('from-kube2iam.md');
    let harness: Harness;
    let aws: SmallAws;
    let cluster: Cluster;
    let kubelet: ReturnType<typeof playKubelet>;
    let besides: readonly string[];
    let ports: readonly number[];
    let portsBeside: readonly number[];
    /** Where the rule of each node leads. */
    let doors: number[];
    let load: Load;

    before(async () => {
      harness = await createHarness(scope);
      aws = await startSmallAws(scope, ['reader', 'writer']);
      cluster = await startCluster(scope);
      const free = await freePorts(4);
      ports = free.slice(0, 2);
      portsBeside = free.slice(2);
      doors = [...ports];
      await eventually(() => cluster.createServiceAccount('default', 'kube-system'), 30_000);
      await cluster.createNamespace('team', { [allowedRolesKey]: '["reader", "writ*"]' });
      for (const { name } of nodes) {
        const body = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
        await cluster.must('POST', '/api/v1/nodes', { body });
      }
      for (const { name, role, podIP, node } of pods) {
        const at = { nodeName: nodes[node]?.name ?? '', hostIP: nodes[node]?.hostIP ?? '', podIP };
        await cluster.createPod({ name, namespace: 'team', annotations: { [roleKey]: role }, ...at });
      }
      await cluster.applyManifest(readKube2iamManifest('rbac.yaml'));
      await cluster.applyManifest(kube2iamBefore());
      const token = await cluster.tokenFor('kube2iam', { namespace: 'kube-system' });
      const kubeconfig = join(harness.folder, 'kubeconfig');
      writeFileSync(kubeconfig, kubeconfigText(cluster.url, cluster.caPem, token), { mode: 0o600 });
      const { host } = new URL(await startNodeMetadata(scope, aws));
      besides = [
        `--kubeconfig=${kubeconfig}`,
        `--sts-endpoint=${aws.url}`,
        `--region=${region}`,
        `--metadata-addr=${host}`,
      ];
      kubelet = playKubelet(scope, cluster, [
        { name: 'kube2iam', nodes, start: startUnderItsName },
        { name: 'podpass', nodes, start: startBeside },
      ]);
      await eventually(() => assert.equal(kubelet.images().length, 2), 30_000);
      kubelet.check();
      load = startLoad(pods, (node) => doors[node] ?? 0);
    }, bound);

    async function startUnderItsName(container: KiamContainer, node: PlayedNode): Promise<Running> {
      // It ends at arguments that it does not know, and it keeps its own.
      assert.deepEqual(container.args, argumentsBefore());
      const port = ports[nodes.indexOf(node)] ?? 0;
      if (container.image === podpassImage) {
        assert.ok(!('lifecycle' in container));
        return startOurs(container, node, port);
      }
      const roles = new Map(pods.map(({ podIP, role }) => [podIP, role]));
      return startKube2iam(scope, { port, roles });
    }

    /** It takes the rule when it is ready, and gives it back before it ends if its arguments say so. */
    async function startBeside(container: KiamContainer, node: PlayedNode): Promise<Running> {
      const { image, args, readinessProbe } = container;
      assert.equal(image, podpassImage);
      assert.deepEqual(
        args.filter((arg) => arg !== '--iptables-remove'),
        [...argumentsBefore(), '--app-port=8182', '--metrics-port=9620', '--firewall=nftables'],
      );
      assert.deepEqual(readinessProbe?.httpGet, { path: '/readyz', port: 9620, scheme: 'HTTP' });
      // With a port that is declared there could not be two of them on one node.
      assert.ok(!('lifecycle' in container) && !('ports' in container));
      const index = nodes.indexOf(node);
      const running = await startOurs(container, node, portsBeside[index] ?? 0);
      doors[index] = portsBeside[index] ?? 0;
      return {
        async stop() {
          if (args.includes('--iptables-remove')) doors[index] = ports[index] ?? 0;
          await running.stop();
        },
      };
    }

    async function startOurs({ args }: KiamContainer, node: PlayedNode, port: number): Promise<Running> {
      const process = await startPodpass({
        scope,
        command: 'standalone',
        flags: onLoopback(expand(args, node), [...besides, `--app-port=${port}`]),
        env: { ...aws.serverEnv, AWS_EC2_METADATA_DISABLED: 'false' },
      });
      await process.untilReady();
      return { stop: process.terminate };
    }

    it('has commands under each step', () => {
      assert.match(page.setUp, /^export PODPASS_IMAGE=podpass:0\.1\.0-kube2iam$/m);
      assert.deepEqual(page.headings.toSorted(), [...new Set(Object.values(orders).flat())].sort());
    });

    it('begins with the hook that has to go', async () => {
      const object = await cluster.must('GET', '/apis/apps/v1/namespaces/kube-system/daemonsets/kube2iam');
      assert.ok(JSON.stringify(object).includes(JSON.stringify(preStop.exec.command)));
    });

    let expected: readonly string[] = [theirs, theirs];
    for (const heading of headings) {
      it(`${heading}: no request fails`, bound, async () => {
        const answeredBefore = load.answered();
        const retriedBefore = load.retried();
        for (const { script } of page.blocksUnder(heading)) {
          const at = { scope, folder: harness.folder, kubeconfig: cluster.kubeconfig };
          await page.run(script, at).finally(kubelet.check);
        }
        expected = leavesRunning[heading] ?? expected;
        await eventually(() => assert.deepEqual(kubelet.images(), expected.toSorted()), 30_000);
        await eventually(() => assert.ok(load.answered() > answeredBefore + 10));
        assert.deepEqual(load.failed, []);
        if (withoutRetry.includes(heading)) assert.equal(load.retried(), retriedBefore);
      });
    }

    it('has every pod served, from the first step to the last', bound, async (t) => {
      await load.stop();
      await kubelet.stop();
      assert.deepEqual(load.failed, []);
      const issuers = new Set<string>();
      for (const { role, credentials } of load.served.values()) {
        const isOfKube2iam = credentials.AccessKeyId === accessKeyOfKube2iam(role);
        issuers.add(isOfKube2iam ? 'kube2iam' : 'podpass');
        // By the word of STS: a name in a list could be right where the credentials are wrong.
        if (!isOfKube2iam)
          assert.match(await whoIs(aws.url, credentials), new RegExp(`:assumed-role/${role}/`));
      }
      assert.deepEqual([...issuers].sort(), ['kube2iam', 'podpass']);
      t.diagnostic(
        `${load.answered()} answered, ${load.retried()} tries repeated, longest ${load.longest()} ms`,
      );
    });

    it('may write events once the page has given the right, and kube2iam could not', bound, async () => {
      const review = await cluster.must('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: {
            user: 'system:serviceaccount:kube-system:kube2iam',
            resourceAttributes: { verb: 'create', resource: 'events', namespace: 'team' },
          },
        },
      });
      assert.equal((review.status as { allowed: boolean }).allowed, headings.includes(gain));
    });
  });
}
