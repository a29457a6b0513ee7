// Whose pods an agent gets, with Kubernetes' own API server reviewing tokens, and with callers at addresses of two nodes.
// No kubelet and no controllers run: the test makes pods, their status and their tokens, as those would.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { needs } from '../parts/availability.ts';
import { type Cluster, startCluster } from '../parts/cluster.ts';
import { kubeconfigText } from '../parts/cluster-files.ts';
import { projectRoot } from '../parts/locations.ts';
import { startAddressProxy } from './address-proxy.ts';
import { permittedKey, roleKey } from './annotate.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness, type PodpassAgent, type PodpassServer } from './harness.ts';
import { connectAsKiam, type KiamCall } from './kiam-client.ts';
import { assertNoSecrets } from './no-secrets.ts';
import { type SmallAws, startSmallAws } from './small-aws.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 110_000 };
const rbacFile = join(projectRoot, 'deploy', 'manifests', 'rbac.yaml');

/** Each node's address, and its one pod, which has the role of the same name as the node. */
const nodes = {
  'node-a': { address: '127.94.0.1', pod: '127.95.0.1', role: 'reader' },
  'node-b': { address: '127.94.0.2', pod: '127.95.0.2', role: 'writer' },
} as const;
type NodeName = keyof typeof nodes;

const ok = (role: string) => ({ kind: 'ok', fields: { 1: role } });
const notFound = { kind: 'error', code: status.UNKNOWN, details: 'pod not found' };

/** What kiam's manifests let its server do: no tokens, no nodes. */
const kiamRights = (name: string) => `
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${name}, namespace: kube-system }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: ${name} }
rules:
  - { apiGroups: [""], resources: [pods, namespaces], verbs: [get, list, watch] }
  - { apiGroups: [""], resources: [events], verbs: [create, patch, update] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: ${name} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${name} }
subjects: [{ kind: ServiceAccount, name: ${name}, namespace: kube-system }]
`;

describe('whose pods an agent gets', needs('kube-apiserver', 'etcd'), () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let cluster: Cluster;
  let tokens: Record<NodeName, string>;
  const tokenTexts: string[] = [];

  before(async () => {
    harness = await createHarness(scope);
    aws = await startSmallAws(scope, ['reader', 'writer']);
    cluster = await startCluster(scope);
    const rbac = await readFile(rbacFile, 'utf8');
    await eventually(() => cluster.applyManifest(`${rbac}\n---${kiamRights('kiam-server')}`), 30_000);
    await cluster.createNamespace('team', { [permittedKey]: '.*' });
    for (const [nodeName, { address, pod, role }] of Object.entries(nodes)) {
      await cluster.createPod({
        name: role,
        namespace: 'team',
        annotations: { [roleKey]: role },
        nodeName,
        podIP: pod,
        hostIP: address,
      });
    }
    tokens = {
      'node-a': await agentToken('agent-a', 'node-a'),
      'node-b': await agentToken('agent-b', 'node-b'),
    };
  }, bound);

  /** Makes a pod of the agents' DaemonSet, and the file with the token that kubelet would project into it. */
  async function agentToken(name: string, nodeName: NodeName, audience = 'podpass'): Promise<string> {
    const namespace = 'kube-system';
    const { metadata } = await cluster.createPod({
      name,
      namespace,
      serviceAccountName: 'podpass-agent',
      nodeName,
      hostNetwork: true,
      hostIP: nodes[nodeName].address,
    });
    const token = await cluster.tokenFor('podpass-agent', {
      namespace,
      audiences: [audience],
      pod: metadata,
    });
    tokenTexts.push(token);
    const file = join(harness.folder, `token-${name}`);
    await writeFile(file, token, { mode: 0o600 });
    return file;
  }

  async function startServer(flags: readonly string[], account = 'podpass-server'): Promise<PodpassServer> {
    const token = await cluster.tokenFor(account, { namespace: 'kube-system' });
    const kubeconfig = join(harness.folder, `kubeconfig-${account}`);
    await writeFile(kubeconfig, kubeconfigText(cluster.url, cluster.caPem, token), { mode: 0o600 });
    const server = await harness.startServer({ kubeconfig, stsUrl: aws.url, env: aws.serverEnv, flags });
    await server.untilReady();
    return server;
  }

  /** From an address of a node, or else from one that is no node's. */
  async function startAgent(
    server: PodpassServer,
    nodeName: NodeName,
    how: { readonly token?: string; readonly from?: NodeName },
  ): Promise<PodpassAgent> {
    const port = how.from
      ? await startAddressProxy(scope, server.port, nodes[how.from].address)
      : server.port;
    return harness.startAgent({
      nodeName,
      serverPorts: [port],
      flags: ['--pod-wait=1s', ...(how.token === undefined ? [] : [`--token-file=${how.token}`])],
    });
  }

  async function kiamFrom(server: PodpassServer, from?: NodeName): Promise<KiamCall> {
    const port = from ? await startAddressProxy(scope, server.port, nodes[from].address) : server.port;
    return connectAsKiam(scope, harness.tls, port);
  }

  async function isRefused(agent: PodpassAgent, why: RegExp): Promise<void> {
    await eventually(() =>
      assert.ok(
        agent.log.some(({ msg }) => why.test(msg ?? '')),
        JSON.stringify(agent.log.at(-1)),
      ),
    );
    assert.equal((await agent.readyz()).status, 503);
    for (const { pod } of Object.values(nodes)) assert.equal((await agent.ask(pod)).status, 503);
  }

  async function eventsOn(node: string): Promise<string[]> {
    const path = `/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DNode,involvedObject.name%3D${node}`;
    const { items } = await cluster.must('GET', path);
    return (items as { reason: string }[]).map(({ reason }) => reason);
  }

  describe('with --agent-scope=enforce', () => {
    let server: PodpassServer;
    before(async () => {
      server = await startServer([
        '--agent-scope=enforce',
        '--agent-service-account=kube-system/podpass-agent',
      ]);
    }, bound);

    it("gives it its own by its pod's token, wherever it calls from", bound, async () => {
      const agent = await startAgent(server, 'node-a', { token: tokens['node-a'], from: 'node-b' });
      await agent.untilReady();
      assert.equal((await agent.ask(nodes['node-a'].pod)).role, 'reader');
      assert.equal((await agent.ask(nodes['node-b'].pod)).status, 503, 'that pod does not exist for it');
      assert.ok(
        (await server.metric('podpass_agent_calls_total', { proof: 'token', outcome: 'served' })) >= 1,
      );
      await agent.terminate();
    });

    it('refuses another node by that token, and says so on the node that was asked for', bound, async () => {
      const agent = await startAgent(server, 'node-b', { token: tokens['node-a'], from: 'node-b' });
      await isRefused(
        agent,
        /PERMISSION_DENIED|is on node node-a by its token asked for the pods of node node-b/,
      );
      await eventually(async () => assert.ok((await eventsOn('node-b')).includes('PodpassAgentRefused')));
      assert.ok(
        (await server.metric('podpass_agent_calls_total', { proof: 'token', outcome: 'refused' })) >= 1,
      );
      await agent.terminate();
    });

    it('gives it its own by its address, in both protocols', bound, async () => {
      const agent = await startAgent(server, 'node-b', { from: 'node-b' });
      await agent.untilReady();
      assert.equal((await agent.ask(nodes['node-b'].pod)).role, 'writer');
      const kiam = await kiamFrom(server, 'node-a');
      const [own, other] = await Promise.all([
        kiam('GetPodRole', [nodes['node-a'].pod]),
        kiam('GetPodRole', [nodes['node-b'].pod]),
      ]);
      assert.deepEqual([own, other], [ok('reader'), notFound]);
      await agent.terminate();
    });

    it('refuses a certificate alone, and leaves the health of the server open', bound, async () => {
      const agent = await startAgent(server, 'node-a', {});
      await isRefused(agent, /does not show which node it is on/);
      const kiam = await kiamFrom(server);
      const reply = await kiam('GetPodCredentials', [nodes['node-a'].pod, 'reader']);
      assert.ok(reply.kind === 'error' && reply.code === status.PERMISSION_DENIED, JSON.stringify(reply));
      assert.deepEqual(await kiam('GetHealth', []), ok('ok'));
      await agent.terminate();
    });

    it('refuses tokens for somebody else, of somebody else, and of a pod that is gone', bound, async () => {
      const elsewhere = await startAgent(server, 'node-a', {
        token: await agentToken('agent-wrong', 'node-a', 'https://example.com'),
        from: 'node-a',
      });
      await isRefused(elsewhere, /the token of an agent at 127\.94\.0\.1 was refused/);
      await elsewhere.terminate();

      const token = await agentToken('agent-gone', 'node-a');
      const agent = await startAgent(server, 'node-a', { token, from: 'node-a' });
      await agent.untilReady();
      await cluster.deletePod('kube-system', 'agent-gone');
      // Its stream ends within ten seconds; the API server remembers a token for as long.
      await eventually(
        () => assert.ok(agent.log.some(({ msg }) => /the token of an agent .* was refused/.test(msg ?? ''))),
        60_000,
      );
      await agent.terminate();
    });

    it('goes on by what it knows while the API server is away', bound, async () => {
      const first = await startAgent(server, 'node-a', { token: tokens['node-a'] });
      await first.untilReady();
      await first.kill();
      await cluster.stopApiServer();
      try {
        const again = await startAgent(server, 'node-a', { token: tokens['node-a'] });
        await again.untilReady();
        assert.equal((await again.ask(nodes['node-a'].pod)).role, 'reader');
        // Nobody can say whose this is: it is known by its address.
        const unknown = join(harness.folder, 'token-unknown');
        await writeFile(unknown, `${await readFile(tokens['node-b'], 'utf8')}x`);
        const byAddress = await startAgent(server, 'node-b', { token: unknown, from: 'node-b' });
        await byAddress.untilReady();
        assert.equal((await byAddress.ask(nodes['node-b'].pod)).role, 'writer');
        await Promise.all([again.terminate(), byAddress.terminate()]);
      } finally {
        await cluster.startApiServer();
      }
    });
  });

  it("auto, with kiam's rights, serves a certificate alone and tells of it", bound, async () => {
    const server = await startServer([], 'kiam-server');
    const agent = await startAgent(server, 'node-a', { token: tokens['node-a'], from: 'node-a' });
    await agent.untilReady();
    assert.equal((await agent.ask(nodes['node-a'].pod)).role, 'reader');
    const said = (level: string, text: RegExp) =>
      server.log.filter((line) => line.level === level && text.test(line.msg ?? '')).length;
    assert.equal(said('warning', /tokens of agents cannot be reviewed.*system:auth-delegator/), 1);
    assert.equal(said('info', /nodes may not be read/), 1);
    assert.equal(said('warning', /node.*forbidden/i), 0);

    const [kiam, scoped] = [await kiamFrom(server), await kiamFrom(server, 'node-b')];
    assert.deepEqual(await kiam('GetPodRole', [nodes['node-a'].pod]), ok('reader'));
    assert.deepEqual(await kiam('GetPodRole', [nodes['node-b'].pod]), ok('writer'));
    assert.deepEqual(await scoped('GetPodRole', [nodes['node-a'].pod]), notFound);
    await eventually(async () => assert.ok((await eventsOn('node-a')).includes('PodpassAgentUnproven')));
    assert.equal(said('warning', /served by its certificate alone/), 1);
    assert.equal(
      await server.metric('podpass_agent_calls_total', { proof: 'certificate', outcome: 'served' }),
      2,
    );
    await Promise.all([agent.terminate(), server.terminate()]);
  });

  it("off is kiam's way: anybody gets any pod, and no token is looked at", bound, async () => {
    const server = await startServer(['--agent-scope=off']);
    const agent = await startAgent(server, 'node-b', { token: tokens['node-a'], from: 'node-a' });
    await agent.untilReady();
    assert.equal((await agent.ask(nodes['node-b'].pod)).role, 'writer');
    await Promise.all([agent.terminate(), server.terminate()]);
  });

  it('wrote no token into any log', () => {
    assert.ok(tokenTexts.length >= 4);
    assertNoSecrets(harness.processes, tokenTexts);
  });
});
