// The server against Kubernetes' own API server, with the rights of deploy/manifests/rbac.yaml and no others, and an
// agent that pods ask. Nothing here but pods' addresses is played: 127.x, which on Linux are all this machine's.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { needs } from '../parts/availability.ts';
import { partPath } from '../parts/catalogue.ts';
import { type Cluster, startCluster } from '../parts/cluster.ts';
import { kubeconfigText } from '../parts/cluster-files.ts';
import { projectRoot } from '../parts/locations.ts';
import { allowedKey, annotateNamespace, annotatePod, permittedKey, roleKey } from './annotate.ts';
import { type ApiAudit, allowedBy, createApiAudit } from './api-audit.ts';
import { type CuttableProxy, startCuttableProxy } from './cuttable-proxy.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness, type PodpassAgent, type PodpassServer } from './harness.ts';
import { assertNoSecrets } from './no-secrets.ts';
import { roleBaseArn, type SmallAws, startSmallAws, whoIs } from './small-aws.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 110_000 };
const nodeName = 'node-1';
const roles = ['reader', 'writer', 'first', 'second', 'third', 'returned'];
const rbacFile = join(projectRoot, 'deploy', 'manifests', 'rbac.yaml');
const serverUser = 'system:serviceaccount:kube-system:podpass-server';

/** A cluster whose API server the podpass server reaches as its own service account, through a proxy. */
interface World {
  readonly harness: Harness;
  readonly aws: SmallAws;
  readonly audit: ApiAudit;
  readonly cluster: Cluster;
  readonly proxy: CuttableProxy;
  readonly kubeconfig: string;
  /** Where the agent finds the token of its pod. */
  readonly tokenFile: string;
  startServer(): Promise<PodpassServer>;
  startAgent(server: PodpassServer): Promise<PodpassAgent>;
  addPod(name: string, podIP: string, role: string | undefined, namespace?: string): Promise<void>;
}

async function startWorld(scope: ReturnType<typeof suiteScope>, etcd?: string): Promise<World> {
  const harness = await createHarness(scope);
  const aws = await startSmallAws(scope, roles);
  const audit = createApiAudit(harness.folder, serverUser);
  const cluster = await startCluster(scope, {
    apiServerFlags: audit.flags,
    ...(etcd === undefined ? {} : { etcd }),
  });
  // The API server makes kube-system a moment after it is ready.
  const rbac = await readFile(rbacFile, 'utf8');
  await eventually(() => cluster.applyManifest(rbac), 30_000);
  const token = await cluster.tokenFor('podpass-server', { namespace: 'kube-system' });
  const proxy = await startCuttableProxy(scope, Number(new URL(cluster.url).port));
  const kubeconfig = join(harness.folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigText(`https://127.0.0.1:${proxy.port}`, cluster.caPem, token), {
    mode: 0o600,
  });
  // The agent's own pod, and the token that kubelet would write for it.
  const agentPod = await cluster.createPod({
    name: 'podpass-agent',
    namespace: 'kube-system',
    serviceAccountName: 'podpass-agent',
    nodeName,
    hostNetwork: true,
    hostIP: '127.0.0.1',
  });
  const tokenFile = join(harness.folder, 'token');
  await writeFile(
    tokenFile,
    await cluster.tokenFor('podpass-agent', {
      namespace: 'kube-system',
      audiences: ['podpass'],
      pod: { name: 'podpass-agent', uid: agentPod.metadata.uid },
    }),
  );
  return {
    harness,
    aws,
    audit,
    tokenFile,
    cluster,
    proxy,
    kubeconfig,
    startServer: () => harness.startServer({ kubeconfig, stsUrl: aws.url, env: aws.serverEnv }),
    startAgent: (server) =>
      harness.startAgent({
        nodeName,
        serverPorts: [server.port],
        flags: ['--pod-wait=1s', `--token-file=${tokenFile}`],
      }),
    async addPod(name, podIP, role, namespace = 'team') {
      await cluster.createPod({
        name,
        namespace,
        ...(role === undefined ? {} : { annotations: { [roleKey]: role } }),
        nodeName,
        podIP,
        hostIP: '127.0.0.1',
      });
    },
  };
}

/** Who a pod is by the word of STS, or why not. */
async function roleServed({ aws }: World, agent: PodpassAgent, address: string): Promise<string> {
  const { status, credentials } = await agent.ask(address);
  if (!credentials) return String(status);
  const [, role = ''] = /:assumed-role\/([^/]+)\//.exec(await whoIs(aws.url, credentials)) ?? [];
  return role;
}

/** Asks for the role at an address without a pause. Returns how to stop, which tells the answers in order. */
function followAddress(
  { aws }: World,
  agent: PodpassAgent,
  address: string,
): () => Promise<readonly string[]> {
  const seen: string[] = [];
  let stopped = false;
  const asking = (async () => {
    while (!stopped) {
      const { credentials } = await agent.ask(address);
      // By the word of STS: a name in a list could be right where the credentials are wrong.
      if (credentials) seen.push(await whoIs(aws.url, credentials));
    }
  })();
  asking.catch(() => {});
  return async () => {
    stopped = true;
    await asking;
    return seen.map((arn) => arn.split('/')[1] ?? '');
  };
}

/** Whether the server was refused a streamed list and said so. */
function listsByPages({ log }: PodpassServer): boolean {
  return log.some(({ msg }) => msg?.includes('does not stream lists'));
}

interface PodEvent {
  readonly reason: string;
  readonly message: string;
  readonly type: string;
  readonly count: number;
  readonly source: { readonly component: string };
  readonly involvedObject: { readonly uid: string };
}

describe('against a real API server', needs('kube-apiserver', 'etcd'), () => {
  const scope = suiteScope();
  let world: World;
  let server: PodpassServer;
  let agent: PodpassAgent;

  before(async () => {
    world = await startWorld(scope);
    await world.cluster.createNamespace('team', { [permittedKey]: '.*' });
    await world.cluster.createNamespace('closed');
    [server, agent] = await start();
  }, bound);

  async function start(): Promise<[PodpassServer, PodpassAgent]> {
    const startedServer = await world.startServer();
    const startedAgent = await world.startAgent(startedServer);
    await Promise.all([startedServer.untilReady(), startedAgent.untilReady()]);
    return [startedServer, startedAgent];
  }

  async function isServed(address: string, expected: string): Promise<void> {
    await eventually(async () => assert.equal(await roleServed(world, agent, address), expected));
  }

  /** The events about a pod, as `kubectl describe pod` shows them. */
  async function eventsOf(namespace: string, pod: string): Promise<readonly PodEvent[]> {
    const path = `/api/v1/namespaces/${namespace}/events?fieldSelector=involvedObject.name%3D${pod}`;
    return (await world.cluster.must('GET', path)).items as PodEvent[];
  }

  it('serves a pod its role', bound, async () => {
    await world.addPod('reader', '127.90.0.1', 'reader');
    await isServed('127.90.0.1', 'reader');
    const again = await agent.ask('127.90.0.1', await agent.token('127.90.0.1'));
    assert.equal(again.status, 200);
    assert.equal(world.aws.issued('reader'), 1);
  });

  it('serves a pod that is annotated later, and another role when that changes', bound, async () => {
    await world.addPod('later', '127.90.0.2', undefined);
    await isServed('127.90.0.2', '404');
    await annotatePod(world.cluster, 'team', 'later', { [roleKey]: 'reader' });
    await isServed('127.90.0.2', 'reader');
    await annotatePod(world.cluster, 'team', 'later', { [roleKey]: `${roleBaseArn}writer` });
    await isServed('127.90.0.2', 'writer');
    await annotatePod(world.cluster, 'team', 'later', { [roleKey]: null });
    await isServed('127.90.0.2', '404');
  });

  it('serves a namespace once it permits the role, and no longer once it does not', bound, async () => {
    await world.addPod('guest', '127.90.0.3', 'reader', 'closed');
    await isServed('127.90.0.3', '403');
    await annotateNamespace(world.cluster, 'closed', { [permittedKey]: '.*/reader' });
    await isServed('127.90.0.3', 'reader');
    await annotateNamespace(world.cluster, 'closed', { [permittedKey]: null });
    await isServed('127.90.0.3', '403');
    await annotateNamespace(world.cluster, 'closed', { [permittedKey]: '.*/writer' });
    await eventually(async () => {
      const { body } = await agent.ask('127.90.0.3');
      assert.match(
        body,
        /annotation iam\.amazonaws\.com\/permitted of namespace closed is \\"\.\*\/writer\\"/,
      );
    });
  });

  it('tells the pod why, in an event that counts', bound, async () => {
    const missing = await eventually(async () => {
      const [event] = (await eventsOf('closed', 'guest')).filter(({ message }) =>
        /has no annotation/.test(message),
      );
      assert.equal(event?.count, 2, 'it was closed twice');
      return event;
    });
    assert.ok(missing);
    assert.equal(missing.reason, 'KiamRoleForbidden');
    assert.equal(missing.type, 'Warning');
    assert.equal(missing.source.component, 'kiam.server');
    assert.equal(
      missing.message,
      'pod closed/guest may not have the role reader: namespace closed has no annotation iam.amazonaws.com/permitted, ' +
        'or an empty one. Set it so that it matches arn:aws:iam::123456789012:role/reader.',
    );
    const { metadata } = await world.cluster.must('GET', '/api/v1/namespaces/closed/pods/guest');
    assert.equal(missing.involvedObject.uid, (metadata as { uid: string }).uid);
    await eventually(async () => {
      const messages = (await eventsOf('closed', 'guest')).map(({ message }) => message);
      assert.equal(messages.length, 2);
      assert.ok(messages.some((message) => message.includes('which does not match the role')));
    });
  });

  it('tells the namespace, in an event of its own, that its rule cannot be read', bound, async () => {
    await annotateNamespace(world.cluster, 'closed', { [allowedKey]: '["*", null]' });
    const [event, ...others] = await eventually(async () => {
      const events = await eventsOf('closed', 'closed');
      assert.ok(events.length > 0);
      return events;
    });
    assert.deepEqual(others, []);
    assert.equal(event?.reason, 'PodpassNamespaceRuleInvalid');
    assert.equal(event?.type, 'Warning');
    assert.match(
      event?.message ?? '',
      /^annotation iam\.amazonaws\.com\/allowed-roles of namespace closed is /,
    );
    const { metadata } = await world.cluster.must('GET', '/api/v1/namespaces/closed');
    assert.equal(event?.involvedObject.uid, (metadata as { uid: string }).uid);
  });

  it("tells the pod what STS refuses, in STS's words", bound, async () => {
    await world.cluster.createPod({
      name: 'mistyped',
      namespace: 'team',
      annotations: { [roleKey]: 'raeder', 'iam.amazonaws.com/external-id': 'b7f1e0c2-a-secret' },
      nodeName,
      podIP: '127.90.0.4',
      hostIP: '127.0.0.1',
    });
    await isServed('127.90.0.4', '403');
    const [event, ...others] = await eventually(async () => {
      const events = await eventsOf('team', 'mistyped');
      assert.equal(events.length, 1);
      return events;
    });
    assert.deepEqual(others, []);
    assert.equal(event?.reason, 'KiamCredentialError');
    assert.equal(event?.count, 1);
    assert.match(
      event?.message ?? '',
      /^STS refuses pod team\/mistyped the role arn:aws:iam::123456789012:role\/raeder: /,
    );
    assert.match(event?.message ?? '', /is not authorized to perform: sts:AssumeRole on resource: .*raeder/);
    const all = JSON.stringify((await world.cluster.must('GET', '/api/v1/events')).items);
    assert.ok(!all.includes('b7f1e0c2-a-secret'), 'no external id');
    assert.ok(!all.includes(world.aws.serverEnv.AWS_SESSION_TOKEN ?? ''), 'no credentials');
  });

  it('never mixes up two pods that follow each other on one address', bound, async () => {
    const address = '127.90.0.5';
    for (const [before, after] of [
      ['first', 'second'],
      ['second', 'first'],
      ['first', 'second'],
    ] as const) {
      await world.addPod(before, address, before);
      await isServed(address, before);
      const watching = followAddress(world, agent, address);
      await world.cluster.deletePod('team', before);
      await world.addPod(after, address, after);
      await eventually(async () => assert.equal((await agent.ask(address)).role, after));
      const seen = await watching();
      // What is not an answer with credentials says nothing of either.
      const order = seen.filter((role) => role === before || role === after);
      assert.deepEqual(
        order,
        [...order].sort((a, b) => Number(a === after) - Number(b === after)),
        order.join(' '),
      );
      assert.equal(await roleServed(world, agent, address), after);
      await world.cluster.deletePod('team', after);
      await isServed(address, '503');
    }
  });

  it('serves neither of two pods that claim one address, and the one that is left', bound, async () => {
    const address = '127.90.0.6';
    await world.addPod('first', address, 'first');
    await isServed(address, 'first');
    await world.addPod('second', address, 'second');
    await isServed(address, '503');
    const { body } = await agent.ask(address);
    assert.match(body, /more than one running pod claims 127\.90\.0\.6: pod team\/first, pod team\/second/);
    await world.cluster.deletePod('team', 'first');
    await isServed(address, 'second');
  });

  it('gives the address of a finished pod to nobody', bound, async () => {
    await world.cluster.patchPodStatus('team', 'second', { phase: 'Succeeded' });
    await isServed('127.90.0.6', '503');
  });

  it('goes on while the API server is restarted, and sees what comes after', bound, async () => {
    await world.cluster.stopApiServer();
    await eventually(async () => assert.match((await server.readyz()).body, /pod watch: .*out of touch/));
    assert.equal((await server.readyz()).status, 200);
    assert.equal(await roleServed(world, agent, '127.90.0.1'), 'reader');
    // The server can still tell a new agent everything.
    await agent.kill();
    agent = await world.startAgent(server);
    await agent.untilReady();
    assert.equal(await roleServed(world, agent, '127.90.0.1'), 'reader');
    await world.cluster.startApiServer();
    await annotatePod(world.cluster, 'team', 'reader', { [roleKey]: 'writer' });
    await isServed('127.90.0.1', 'writer');
  });

  it(
    'catches up with what happened while it was cut off, also when its version is forgotten',
    bound,
    async () => {
      const expired = () => server.metric('podpass_watch_relists_total', { reason: 'expired' });
      const expiredBefore = await expired();
      world.proxy.cut();
      await world.addPod('returned', '127.90.0.7', 'returned');
      await world.cluster.deletePod('team', 'later');
      await annotatePod(world.cluster, 'team', 'reader', { [roleKey]: 'third' });
      assert.equal(await roleServed(world, agent, '127.90.0.1'), 'writer', 'as far as it knows');
      // An API server that starts anew has no history: every version before its start is too old for a watch.
      await world.cluster.restartApiServer();
      world.proxy.mend();
      await isServed('127.90.0.1', 'third');
      await isServed('127.90.0.7', 'returned');
      await isServed('127.90.0.2', '503');
      assert.ok((await expired()) > expiredBefore, 'the API server had forgotten');
      assert.equal(server.ended, undefined);
    },
  );

  it('lists by pages where the API server does not stream lists', bound, async () => {
    await world.cluster.restartApiServer(['--feature-gates=WatchList=false']);
    await Promise.all([server.terminate(), agent.terminate()]);
    assert.deepEqual([server.ended, agent.ended], ['ended with status 0', 'ended with status 0']);
    [server, agent] = await start();
    await isServed('127.90.0.1', 'third');
    assert.ok(listsByPages(server));
  });

  it('needs every right that the manifest gives it, and no other', async () => {
    const used = world.audit.requests();
    assert.deepEqual(
      [...used].filter(([, status]) => status === 401 || status === 403),
      [],
    );
    const allowed = allowedBy(await readFile(rbacFile, 'utf8'));
    assert.deepEqual([...used.keys()].sort(), [...allowed].sort());
  });

  it('wrote no secret into any log', async () => {
    const { credentials } = await agent.ask('127.90.0.1');
    assertNoSecrets(world.harness.processes, [
      world.aws.serverEnv.AWS_SECRET_ACCESS_KEY,
      credentials?.SecretAccessKey,
      credentials?.Token,
      'b7f1e0c2-a-secret',
    ]);
  });
});

describe("against an API server on Debian's etcd", needs('kube-apiserver', 'debian-etcd'), () => {
  const scope = suiteScope();

  it('lists by pages after its streamed list was refused', bound, async () => {
    const world = await startWorld(scope, partPath('debian-etcd'));
    await world.cluster.createNamespace('team', { [permittedKey]: '.*' });
    await world.addPod('reader', '127.91.0.1', 'reader');
    const server = await world.startServer();
    const agent = await world.startAgent(server);
    await Promise.all([server.untilReady(), agent.untilReady()]);
    assert.ok(listsByPages(server));
    await eventually(async () => assert.equal(await roleServed(world, agent, '127.91.0.1'), 'reader'));
    await annotatePod(world.cluster, 'team', 'reader', { [roleKey]: 'writer' });
    await eventually(async () => assert.equal(await roleServed(world, agent, '127.91.0.1'), 'writer'));
  });
});
