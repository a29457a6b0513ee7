// One node in one process, with kube2iam's arguments and kube2iam's rights, on Kubernetes' own API server.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { needs } from '../parts/availability.ts';
import { type Cluster, startCluster } from '../parts/cluster.ts';
import { freePorts } from '../parts/free-ports.ts';
import { allowedKey, annotateNamespace, annotatePod, roleKey } from './annotate.ts';
import { type ApiAudit, createApiAudit } from './api-audit.ts';
import { callerAt, type PodCaller } from './ask-agent.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness } from './harness.ts';
import { assertNoSecrets } from './no-secrets.ts';
import { type PodpassProcess, startPodpass } from './podpass-process.ts';
import { region, roleBaseArn, type SmallAws, startSmallAws, whoIs } from './small-aws.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 90_000 };
const user = 'system:serviceaccount:kube-system:kube2iam';
const externalIdKey = 'iam.amazonaws.com/external-id';
const [reader, noRole, mistyped, elsewhere] = ['127.95.0.1', '127.95.0.2', '127.95.0.3', '127.95.0.4'];
const hostIp = '127.0.0.1';
const externalId = 'a-secret-of-two-parties';

/** kube2iam's rights, as its manifests have them. */
const rbac = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: kube2iam, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kube2iam}
rules: [{apiGroups: [""], resources: [namespaces, pods], verbs: [get, watch, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kube2iam}
subjects: [{kind: ServiceAccount, name: kube2iam, namespace: kube-system}]
roleRef: {kind: ClusterRole, name: kube2iam, apiGroup: rbac.authorization.k8s.io}
`;

describe('podpass standalone on a real API server', needs('kube-apiserver', 'etcd'), () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let audit: ApiAudit;
  let cluster: Cluster;
  let access: readonly string[];
  let node: PodpassProcess;
  let pods: PodCaller;
  let port: number;
  const processes: PodpassProcess[] = [];

  async function start(flags: readonly string[]): Promise<PodpassProcess> {
    const started = await startPodpass({
      scope,
      command: 'standalone',
      flags: [
        ...access,
        '--listen-host=127.0.0.1',
        `--app-port=${port}`,
        `--base-role-arn=${roleBaseArn}`,
        '--namespace-restrictions=true',
        // Nobody answers there: the real one must never be asked.
        '--metadata-addr=127.0.0.1:9',
        `--sts-endpoint=${aws.url}`,
        `--token-key-file=${join(harness.folder, 'token-key')}`,
        ...flags,
      ],
      // The chart of kube2iam sets the region so, and keys of an IAM user.
      env: { ...aws.serverEnv, AWS_DEFAULT_REGION: region, AWS_EC2_METADATA_DISABLED: 'false' },
    });
    processes.push(started);
    return started;
  }

  function addPod(
    name: string,
    podIP: string,
    annotations: Readonly<Record<string, string>>,
    nodeName = 'node-1',
  ) {
    return cluster.createPod({ name, namespace: 'team', annotations, nodeName, podIP, hostIP: hostIp });
  }

  before(async () => {
    harness = await createHarness(scope);
    aws = await startSmallAws(scope, ['reader', 'writer', 'team/reader']);
    audit = createApiAudit(harness.folder, user);
    cluster = await startCluster(scope, { apiServerFlags: audit.flags });
    await eventually(() => cluster.applyManifest(rbac), 30_000);
    await cluster.createNamespace('team', { [allowedKey]: '["*"]' });
    await addPod('reader', reader, { [roleKey]: 'reader', [externalIdKey]: externalId });
    await addPod('no-role', noRole, {});
    await addPod('mistyped', mistyped, { [roleKey]: 'mistyped' });
    await addPod('elsewhere', elsewhere, { [roleKey]: 'writer' }, 'node-2');
    await cluster.createNamespace('system');
    await cluster.createPod({
      name: 'kube2iam',
      namespace: 'system',
      nodeName: 'node-1',
      hostNetwork: true,
      podIP: hostIp,
      hostIP: hostIp,
    });
    const token = await cluster.tokenFor('kube2iam', { namespace: 'kube-system' });
    access = [`--api-server=${cluster.url}`, `--api-token=${token}`, '--insecure=true'];
    [port = 0] = await freePorts(1);
    pods = callerAt(port);
    node = await start(['--node=node-1', '--debug=true', '--imds=v2-preferred']);
    await node.untilReady();
  }, bound);

  it('serves the pods of its node, and those of others not at all', bound, async () => {
    await eventually(async () => {
      const answer = await pods.ask(reader);
      assert.ok(answer.credentials, `${answer.status}: ${answer.body}`);
      assert.equal(answer.role, 'reader');
      assert.match(await whoIs(aws.url, answer.credentials), /:assumed-role\/reader\//);
    });
    assert.equal((await pods.ask(elsewhere)).status, 503);
    assert.equal(aws.called('writer'), 0);
    assert.equal(await node.metric('podpass_watch_objects', { resource: 'pods' }), 4);
  });

  it('answers 404 to a pod without a role, and not an empty 200', bound, async () => {
    assert.equal((await pods.ask(noRole)).status, 404);
  });

  it('follows an annotation that changes on a live pod', bound, async () => {
    await annotatePod(cluster, 'team', 'no-role', { [roleKey]: `${roleBaseArn}team/reader` });
    await eventually(async () => assert.equal((await pods.ask(noRole)).status, 200));
    assert.equal((await pods.ask(noRole)).role, `${roleBaseArn}team/reader`);
  });

  it('is well without EC2 around it, for kubelet and for pods alike', bound, async () => {
    const answer = await pods.request(reader, '/healthz');
    assert.equal(answer.status, 200);
    // kube2iam names the node and its instance here.
    assert.equal(answer.body, 'ok\n');
  });

  it('shows metrics and its store to nobody at the door', bound, async () => {
    for (const path of ['/metrics', '/debug/store', '/latest/debug/store']) {
      assert.equal((await pods.request(reader, path)).status, 404, path);
    }
  });

  it('shows its store on loopback, without a secret in it', bound, async () => {
    const { status, body } = await node.get('/debug/store');
    assert.equal(status, 200);
    const store = JSON.parse(body);
    assert.equal(store.namespaceByIP[reader], 'team');
    assert.equal(store.rolesByIP[reader], 'reader');
    assert.equal(store.rolesByIP[elsewhere], undefined);
    assert.deepEqual(store.rolesByNamespace.team, ['*']);
    assert.ok(!body.includes(externalId));
  });

  it('needs no right that kube2iam has not: refused events are one line', bound, async () => {
    await eventually(async () => assert.equal((await pods.ask(mistyped)).status, 403));
    await annotateNamespace(cluster, 'team', { [allowedKey]: '[null]' });
    await eventually(async () => assert.equal((await pods.ask(reader)).status, 403));
    await annotateNamespace(cluster, 'team', { [allowedKey]: '["*"]' });
    await eventually(async () => assert.equal((await pods.ask(reader)).status, 200));
    await eventually(() => assert.equal(audit.requests().get('create events'), 403));
    const refused = [...audit.requests()].filter(
      ([what, status]) => status >= 400 && what !== 'create events',
    );
    assert.deepEqual(refused, []);
    const lines = node.log.filter(({ msg }) => msg?.includes('event could not be written'));
    assert.equal(lines.length, 1);
  });

  it('serves a full node with one call of STS for each role', bound, async () => {
    const addresses = Array.from({ length: 110 }, (_, number) => `127.95.1.${number + 1}`);
    for (const [number, address] of addresses.entries()) {
      await addPod(`many-${number}`, address, { [roleKey]: number % 2 === 0 ? 'writer' : 'team/reader' });
    }
    await eventually(async () => {
      const roles = await Promise.all(addresses.map(async (address) => (await pods.ask(address)).role));
      assert.deepEqual(
        roles,
        addresses.map((_, number) => (number % 2 === 0 ? 'writer' : 'team/reader')),
      );
    }, 30_000);
    assert.equal(aws.issued('writer'), 1);
  });

  it('hands its port over to the next process without failing a request', bound, async () => {
    const token = await pods.token(reader);
    let failed = 0;
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        const answer = await pods.ask(reader, token).catch(() => ({ status: 0 }));
        if (answer.status !== 200) failed += 1;
      }
    })();
    // Without --node: the API server tells which node the address is of.
    const next = await start([`--host-ip=${hostIp}`]);
    await next.untilReady();
    await node.terminate();
    assert.equal((await pods.ask(reader, token)).status, 200);
    isOver = true;
    await asking;
    assert.equal(failed, 0);
    assert.ok(next.log.some(({ node: name }) => name === 'node-1'));
  });

  it("reports under kube2iam's names, too", bound, async () => {
    const [, next] = processes;
    assert.ok(next);
    assert.equal(await next.metric('kube2iam_healthcheck_status'), 1);
    assert.ok((await next.metric('kube2iam_iam_cache_hits_total', { role_arn: `${roleBaseArn}reader` })) > 0);
    assert.ok((await next.metric('kube2iam_iam_request_duration_seconds_count', { code: 'Success' })) > 0);
    assert.ok(
      (await next.metric('kube2iam_http_request_duration_seconds_count', { handler: 'roleHandler' })) > 0,
    );
  });

  it('writes no secret into its log', bound, async () => {
    const { credentials } = await pods.ask(reader);
    const [, apiToken] = access;
    assertNoSecrets(processes, [
      credentials?.SecretAccessKey,
      credentials?.Token,
      externalId,
      apiToken?.slice('--api-token='.length),
    ]);
  });
});
