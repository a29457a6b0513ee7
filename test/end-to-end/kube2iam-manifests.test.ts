// kube2iam's manifests on Kubernetes' own API server, with kube2iam's rights and no others: what they say is started, with
// the addresses of this machine.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { needs } from '../parts/availability.ts';
import { type Cluster, startCluster } from '../parts/cluster.ts';
import { kubeconfigText } from '../parts/cluster-files.ts';
import { freePorts } from '../parts/free-ports.ts';
import { roleKey } from './annotate.ts';
import { type ApiAudit, createApiAudit } from './api-audit.ts';
import { callerAt } from './ask-agent.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness } from './harness.ts';
import { startNodeMetadata } from './kiam-workload.ts';
import { expand, type Kube2iamContainer, onLoopback, readKube2iamManifest } from './kube2iam-workload.ts';
import { type PodpassProcess, startPodpass } from './podpass-process.ts';
import { region, type SmallAws, startSmallAws, whoIs } from './small-aws.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 90_000 };
const user = 'system:serviceaccount:kube-system:kube2iam';
const node = { name: 'node-1', hostIP: '127.0.0.1' };
const address = '127.93.0.1';
const mistyped = '127.93.0.2';

describe("kube2iam's manifests on a real API server", needs('kube-apiserver', 'etcd'), () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let audit: ApiAudit;
  let cluster: Cluster;
  let podpass: PodpassProcess;
  let port: number;

  before(async () => {
    harness = await createHarness(scope);
    aws = await startSmallAws(scope, ['reader']);
    audit = createApiAudit(harness.folder, user);
    cluster = await startCluster(scope, { apiServerFlags: audit.flags });
    [port = 0] = await freePorts(1);
  }, bound);

  /** As the API server has it after all its defaults. */
  async function appliedContainer(): Promise<Kube2iamContainer> {
    const object = await cluster.must('GET', '/apis/apps/v1/namespaces/kube-system/daemonsets/kube2iam');
    const { template } = object.spec as { template: { spec: { containers: readonly Kube2iamContainer[] } } };
    const [container] = template.spec.containers;
    assert.ok(container);
    return container;
  }

  it('are taken by the API server', bound, async () => {
    for (const file of ['rbac.yaml', 'daemonset.yaml'] as const)
      await eventually(() => cluster.applyManifest(readKube2iamManifest(file)), 30_000);
    const { securityContext, args } = await appliedContainer();
    assert.deepEqual(securityContext, { privileged: true });
    assert.ok(args.includes('--node=$(NODE_NAME)'));
  });

  it(
    'start a process that serves the pods of its node, and finds the base ARN by itself',
    bound,
    async () => {
      await cluster.createNamespace('team');
      for (const [role, podIP] of [
        ['reader', address],
        ['mistyped', mistyped],
      ] as const) {
        await cluster.createPod({
          name: role,
          namespace: 'team',
          annotations: { [roleKey]: role },
          nodeName: node.name,
          podIP,
          hostIP: node.hostIP,
        });
      }
      const token = await cluster.tokenFor('kube2iam', { namespace: 'kube-system' });
      const kubeconfig = join(harness.folder, 'kubeconfig');
      await writeFile(kubeconfig, kubeconfigText(cluster.url, cluster.caPem, token), { mode: 0o600 });
      const { host } = new URL(await startNodeMetadata(scope, aws));
      podpass = await startPodpass({
        scope,
        command: 'standalone',
        flags: onLoopback(expand((await appliedContainer()).args, node), [
          `--kubeconfig=${kubeconfig}`,
          `--sts-endpoint=${aws.url}`,
          `--region=${region}`,
          `--metadata-addr=${host}`,
          `--app-port=${port}`,
        ]),
        env: { ...aws.serverEnv, AWS_EC2_METADATA_DISABLED: 'false' },
      });
      await podpass.untilReady();
      const { status, body, credentials } = await callerAt(port).ask(address);
      assert.ok(credentials, `${status}: ${body}`);
      assert.match(await whoIs(aws.url, credentials), /:assumed-role\/reader\//);
    },
  );

  it('have a probe that finds it well', bound, async () => {
    const { livenessProbe } = await appliedContainer();
    assert.equal((await callerAt(port).request(node.hostIP, livenessProbe.httpGet.path)).status, 200);
  });

  it(
    'give it every right that it cannot do without: the missing one is one line of the log',
    bound,
    async () => {
      await eventually(async () => assert.equal((await callerAt(port).ask(mistyped)).status, 403));
      await eventually(() => assert.equal(audit.requests().get('create events'), 403));
      const requests = audit.requests();
      for (const needed of ['watch pods', 'watch namespaces'])
        assert.ok((requests.get(needed) ?? 999) < 300, `${needed}: ${requests.get(needed)}`);
      const refused = [...requests].filter(([what, status]) => status === 403 && what !== 'create events');
      assert.deepEqual(refused, []);
      await eventually(() => {
        const lines = podpass.log.filter(({ msg }) => msg?.includes('event could not be written'));
        assert.equal(lines.length, 1);
      });
    },
  );
});
