import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { needs } from './availability.ts';
import { partPath } from './catalogue.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { startMoto } from './moto.ts';

const run = promisify(execFile);
const bound = { timeout: 120_000 };

/** The first event of a streamed list of pods: what it is about, or what was refused. */
function firstWatchListEvent(cluster: Cluster, signal: AbortSignal): Promise<Record<string, unknown>> {
  const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  const sent = request(new URL(`/api/v1/pods?${query}`, cluster.url), {
    ca: cluster.caPem,
    headers: { authorization: `Bearer ${cluster.adminToken}` },
    signal,
  });
  sent.once('error', reject);
  sent.once('response', (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0) return;
      resolve(JSON.parse(text.slice(0, end)));
      sent.destroy();
    });
    response.once('error', reject);
    response.once('end', () => reject(new Error(`the stream ended after ${JSON.stringify(text)}`)));
  });
  sent.end();
  return promise;
}

describe('the API server', needs('kube-apiserver', 'etcd'), () => {
  it('keeps namespaces and pods, runs RBAC, gives tokens, and survives a restart', bound, async (t) => {
    const reader = { name: 'reader', token: 'reader-token' };
    const cluster = await startCluster(t, { users: [reader] });

    await cluster.createNamespace('team', { 'iam.amazonaws.com/permitted': '.*' });
    const pod = await cluster.createPod({
      name: 'app',
      namespace: 'team',
      annotations: { 'iam.amazonaws.com/role': 'reader' },
      nodeName: 'node-1',
      podIP: '10.1.2.3',
      hostIP: '10.0.0.7',
    });
    const list = await cluster.must('GET', '/api/v1/namespaces/team/pods');
    const [item] = list.items as { metadata: { uid: string }; status: object }[];
    assert.equal(item?.metadata.uid, pod.metadata.uid);
    assert.deepEqual(
      { ...item?.status, qosClass: undefined },
      {
        phase: 'Running',
        podIP: '10.1.2.3',
        podIPs: [{ ip: '10.1.2.3' }],
        hostIP: '10.0.0.7',
        hostIPs: [{ ip: '10.0.0.7' }],
        qosClass: undefined,
      },
    );

    const asReader = () => cluster.request('GET', '/api/v1/namespaces/team/pods', { token: reader.token });
    assert.equal((await asReader()).status, 403);
    assert.equal((await cluster.request('GET', '/api/v1/pods', { token: 'unknown' })).status, 401);
    await cluster.applyManifest(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: read-pods }
rules: [{ apiGroups: [''], resources: [pods], verbs: [get, list, watch] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader, namespace: team }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: read-pods }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: reader }]
`);
    // RBAC is answered from the API server's own watch cache, a moment later.
    while ((await asReader()).status !== 200) t.signal.throwIfAborted();

    const token = await cluster.tokenFor('default', {
      namespace: 'team',
      audiences: ['podpass'],
      pod: { name: 'app', uid: pod.metadata.uid },
    });
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    assert.equal(claims.iss, cluster.issuer);
    assert.deepEqual(claims.aud, ['podpass']);
    assert.equal(claims['kubernetes.io'].pod.uid, pod.metadata.uid);

    const streamed = await firstWatchListEvent(cluster, t.signal);
    assert.equal(streamed.type, 'ADDED');

    await cluster.stopApiServer();
    await assert.rejects(cluster.request('GET', '/readyz'), { code: /ECONNREFUSED|ECONNRESET|EPIPE/ });
    await cluster.startApiServer();
    assert.equal((await cluster.request('GET', '/api/v1/namespaces/team/pods/app')).status, 200);

    await cluster.deletePod('team', 'app');
    assert.equal((await cluster.request('GET', '/api/v1/namespaces/team/pods/app')).status, 404);

    await cluster.stop();
    assert.equal(existsSync(cluster.caFile), false);
    await assert.rejects(cluster.request('GET', '/readyz'));
  });
});

describe('kubectl', needs('kubectl', 'kube-apiserver', 'etcd'), () => {
  it('reads the version and the pods of the API server', bound, async (t) => {
    const cluster = await startCluster(t);
    await cluster.createPod({ name: 'app' });
    const kubectl = (...args: string[]) =>
      run(
        partPath('kubectl'),
        [
          '--kubeconfig',
          cluster.kubeconfig,
          '--cache-dir',
          join(dirname(cluster.kubeconfig), 'cache'),
          ...args,
        ],
        { signal: t.signal },
      );
    const { stdout: version } = await kubectl('version', '-o', 'json');
    assert.match(JSON.parse(version).serverVersion.gitVersion, /^v1\.\d+\.\d+/);
    const { stdout: pods } = await kubectl('get', 'pods', '-o', 'name');
    assert.equal(pods, 'pod/app\n');
  });
});

describe("the API server on Debian's etcd", needs('debian-etcd', 'kube-apiserver'), () => {
  it('offers streamed lists and refuses each', bound, async (t) => {
    const cluster = await startCluster(t, { etcd: partPath('debian-etcd') });
    await cluster.createPod({ name: 'app' });
    const refused = await firstWatchListEvent(cluster, t.signal);
    const { code, message } = refused.object as { code: number; message: string };
    assert.deepEqual([refused.type, code], ['ERROR', 500]);
    assert.match(message, /RequestWatchProgress is disabled/);
    const list = await cluster.must('GET', '/api/v1/pods');
    assert.equal((list.items as unknown[]).length, 1, 'a plain list is answered');
  });
});

describe('moto', needs('moto'), () => {
  it("gives AWS's own client a role's credentials, which name the role", bound, async (t) => {
    const moto = await startMoto(t);
    const client = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
      new STSClient({ endpoint: moto.url, region: 'eu-west-1', credentials });
    const own = client({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' });
    const { Credentials } = await own.send(
      new AssumeRoleCommand({
        RoleArn: 'arn:aws:iam::123456789012:role/reader',
        RoleSessionName: 'team-app',
      }),
    );
    const assumed = client({
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    });
    const { Arn } = await assumed.send(new GetCallerIdentityCommand({}));
    assert.equal(Arn, 'arn:aws:sts::123456789012:assumed-role/reader/team-app');
    own.destroy();
    assumed.destroy();
    await moto.stop();
    await assert.rejects(fetch(moto.url, { signal: t.signal }));
  });
});

describe('boto3', needs('boto3'), () => {
  it('is there with botocore in the pinned version', bound, async (t) => {
    const script = 'import boto3, botocore; print(boto3.__version__, botocore.__version__)';
    const { stdout } = await run(partPath('boto3'), ['-c', script], { signal: t.signal });
    assert.match(stdout, /^1\.(\d+)\.(\d+) 1\.\1\.\2\n$/);
  });
});

describe('the AWS CLI', needs('aws'), () => {
  it('is there and new enough to be pointed at an endpoint by the environment', bound, async (t) => {
    const { stdout } = await run(partPath('aws'), ['--version'], { signal: t.signal });
    assert.match(stdout, /^aws-cli\/1\.4\d\./);
  });
});
