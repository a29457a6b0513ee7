// kiam's manifests on Kubernetes' own API server, with kiam's rights and no others: what they say is started, with the
// addresses and paths of this machine.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { runCommand } from '../../src/sandbox/run-command.ts';
import { needs } from '../parts/availability.ts';
import { type Cluster, startCluster } from '../parts/cluster.ts';
import { kubeconfigText } from '../parts/cluster-files.ts';
import { freePorts } from '../parts/free-ports.ts';
import { permittedKey, roleKey } from './annotate.ts';
import { type ApiAudit, createApiAudit } from './api-audit.ts';
import { callerAt, type PodCaller } from './ask-agent.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness } from './harness.ts';
import {
  type KiamContainer,
  type Loopback,
  onLoopback,
  readKiamManifest,
  startNodeMetadata,
} from './kiam-workload.ts';
import { mainScript, type PodpassProcess, startPodpass } from './podpass-process.ts';
import { region, type SmallAws, startSmallAws, whoIs } from './small-aws.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 90_000 };
const files = [
  'server-rbac.yaml',
  'service.yaml',
  'server.daemonset.yaml',
  'server.deployment.yaml',
  'agent.yaml',
];
const user = 'system:serviceaccount:kube-system:kiam-server';
const address = '127.96.0.1';
const forbidden = '127.96.0.2';

/** What podpass can do without: kiam has no right to it. */
const optional = ['create tokenreviews', 'create selfsubjectaccessreviews', 'list nodes', 'watch nodes'];

describe("kiam's manifests on a real API server", needs('kube-apiserver', 'etcd'), () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let audit: ApiAudit;
  let cluster: Cluster;
  let at: Loopback;
  let server: PodpassProcess;
  let agent: PodpassProcess;
  let pods: PodCaller;

  before(async () => {
    harness = await createHarness(scope);
    aws = await startSmallAws(scope, ['reader']);
    audit = createApiAudit(harness.folder, user);
    cluster = await startCluster(scope, { apiServerFlags: audit.flags });
    const [serverPort = 0, agentPort = 0] = await freePorts(2);
    at = { tlsFolder: harness.folder, serverPorts: [serverPort], agentPort };
    pods = callerAt(agentPort);
  }, bound);

  /** The container of a manifest, as the API server has it after all its defaults. */
  async function applied(kind: 'daemonsets' | 'deployments', name: string): Promise<KiamContainer> {
    const object = await cluster.must('GET', `/apis/apps/v1/namespaces/kube-system/${kind}/${name}`);
    const { template } = object.spec as { template: { spec: { containers: readonly KiamContainer[] } } };
    const [container] = template.spec.containers;
    assert.ok(container);
    return container;
  }

  it('are taken by the API server', bound, async () => {
    for (const file of files) await eventually(() => cluster.applyManifest(readKiamManifest(file)), 30_000);
    const { args } = await applied('daemonsets', 'kiam-server');
    assert.deepEqual((await applied('deployments', 'kiam-server')).args, args);
  });

  it('start a server with the rights that they give it', bound, async () => {
    await cluster.createNamespace('team', { [permittedKey]: '.*' });
    await cluster.createNamespace('closed');
    for (const [name, namespace, podIP] of [
      ['reader', 'team', address],
      ['forbidden', 'closed', forbidden],
    ] as const) {
      await cluster.createPod({
        name,
        namespace,
        annotations: { [roleKey]: 'reader' },
        nodeName: 'node-1',
        podIP,
        hostIP: '127.0.0.1',
      });
    }
    const token = await cluster.tokenFor('kiam-server', { namespace: 'kube-system' });
    const kubeconfig = join(harness.folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigText(cluster.url, cluster.caPem, token), { mode: 0o600 });
    const { args } = await applied('daemonsets', 'kiam-server');
    server = await startPodpass({
      scope,
      command: 'server',
      flags: [
        ...onLoopback(args.slice(1), at),
        `--kubeconfig=${kubeconfig}`,
        `--sts-endpoint=${aws.url}`,
        `--region=${region}`,
        `--metadata-endpoint=${await startNodeMetadata(scope, aws)}`,
      ],
      env: aws.serverEnv,
    });
    await server.untilReady();
  });

  it('have probes that find it well', bound, async () => {
    const { livenessProbe } = await applied('daemonsets', 'kiam-server');
    const command = onLoopback(livenessProbe?.exec?.command.slice(1) ?? [], at);
    const options = { bound: 20_000, signal: scope.signal, env: { PATH: process.env.PATH } };
    const ended = await runCommand(process.execPath, [mainScript, ...command], options);
    assert.ok(ended.kind === 'exited' && ended.status === 0, JSON.stringify(ended));
  });

  it('start an agent that serves the pods of its node, known by HOST_IP alone', bound, async () => {
    const { args } = await applied('daemonsets', 'kiam-agent');
    agent = await startPodpass({
      scope,
      command: 'agent',
      flags: [
        ...onLoopback(args.slice(1), at),
        '--listen-host=127.0.0.1',
        '--metadata-endpoint=http://127.0.0.1:9',
      ],
      env: { HOST_IP: '127.0.0.1' },
    });
    await agent.untilReady();
    assert.equal((await pods.request('127.0.0.1', '/ping')).status, 200);
    const { status, body, credentials } = await pods.ask(address);
    assert.ok(credentials, `${status}: ${body}`);
    assert.match(await whoIs(aws.url, credentials), /:assumed-role\/reader\//);
    assert.equal((await pods.ask(forbidden)).status, 403);
  });

  it('give the server every right that it cannot do without', bound, async () => {
    await eventually(() =>
      assert.ok(audit.requests().has('create events'), 'the refusal is told in an event'),
    );
    const requests = audit.requests();
    for (const needed of [
      'list pods',
      'watch pods',
      'list namespaces',
      'watch namespaces',
      'create events',
    ]) {
      // A streamed list is a watch: a server that is given one never lists.
      if (needed.startsWith('list') && !requests.has(needed)) continue;
      assert.ok((requests.get(needed) ?? 999) < 300, `${needed}: ${requests.get(needed)}`);
    }
    const refused = [...requests].filter(([what, status]) => status === 403 && !optional.includes(what));
    assert.deepEqual(refused, []);
  });
});
