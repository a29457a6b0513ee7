import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { decodeJwt } from 'jose';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { createCertificates } from '../certificates.ts';
import { type ClusterApi, createClusterApi, type ListeningClusterApi } from './create-cluster-api.ts';
import { at, type Json, textAt } from './json.ts';
import { configMaps, deployments, namespaces, pods } from './testing/test-store.ts';

const isMissing = spawnSync('kubectl', ['version', '--client'], { timeout: 30_000 }).status !== 0;
const reason = isMissing ? 'kubectl is not on the PATH (npm run parts gets it)' : false;
const skip = process.env.PODPASS_REQUIRE_PARTS === '1' ? false : reason;

const web = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}, annotations: {iam.amazonaws.com/role: reader}}
spec: {containers: [{name: main, image: "web:1"}, {name: side, image: "side:1"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: main, image: "api:1"}]}
`;

describe('kubectl', { skip, timeout: 120_000 }, () => {
  let folder: string;
  let api: ClusterApi;
  let listening: ListeningClusterApi;
  let environment: Record<string, string>;

  before(async () => {
    assert.equal(reason, false);
    folder = await mkdtemp(join(tmpdir(), 'podpass-kubectl-'));
    const common = { clock: systemClock, random: systemRandom };
    const certificates = await createCertificates({ ...common, serverNames: ['127.0.0.1'], validDays: 1 });
    api = createClusterApi({ ...common, adminToken: 'admin', tls: certificates.server });
    listening = await api.listen('127.0.0.1', 0);
    const cluster = {
      server: listening.url,
      'certificate-authority-data': Buffer.from(certificates.ca).toString('base64'),
    };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'sandbox', cluster }],
      users: [{ name: 'sandbox', user: { token: 'admin' } }],
      contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'sandbox' } }],
      'current-context': 'sandbox',
    };
    await writeFile(join(folder, 'config'), JSON.stringify(config));
    await writeFile(join(folder, 'web.yaml'), web);
    environment = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      KUBECONFIG: join(folder, 'config'),
      KUBECACHEDIR: join(folder, 'cache'),
      NO_PROXY: '127.0.0.1',
    };
  });

  after(async () => {
    await listening?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  function start(args: readonly string[]) {
    return spawn('kubectl', args, {
      env: environment,
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
    });
  }

  async function run(
    ...args: readonly string[]
  ): Promise<{ code: number | null; output: string; errors: string }> {
    const child = start(args);
    const text = { output: '', errors: '' };
    child.stdout.on('data', (chunk) => {
      text.output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      text.errors += chunk;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    return { code, ...text };
  }

  async function ok(...args: readonly string[]): Promise<string> {
    const { code, output, errors } = await run(...args);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${errors}`);
    return output;
  }

  it('applies a file without flags, and again to no effect', async () => {
    assert.match(
      await ok('apply', '-f', 'web.yaml'),
      /namespace\/shop created\s+pod\/web created\s+deployment.apps\/api created/,
    );
    const version = api.store.resourceVersion;
    assert.match(await ok('apply', '-f', 'web.yaml'), /pod\/web unchanged\s+deployment.apps\/api unchanged/);
    assert.equal(api.store.resourceVersion, version);
    await writeFile(join(folder, 'web.yaml'), web.replace('api:1', 'api:2'));
    assert.match(await ok('apply', '-f', 'web.yaml'), /deployment.apps\/api configured/);
    const api2 = api.store.get(deployments, 'shop', 'api');
    assert.deepEqual(at(api2, 'spec', 'template', 'spec', 'containers'), [{ name: 'main', image: 'api:2' }]);
    assert.equal(api2?.metadata.generation, 2);
    await ok('apply', '--server-side', '-f', 'web.yaml');
    await ok('apply', '--dry-run=server', '-f', 'web.yaml');
  });

  it('gets tables, objects and fields', async () => {
    const table = await ok('get', 'pods', '-A');
    assert.match(table, /NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\nshop +web +0\/2 +Pending +0 /);
    assert.match(await ok('get', 'po', '-n', 'shop', '-o', 'wide'), /IP +NODE\n.*<none> +<none>/);
    assert.match(await ok('get', 'ns'), /shop +Active/);
    const path = '{.items[*].metadata.annotations.iam\\.amazonaws\\.com/role}';
    assert.equal(
      await ok('get', 'pods', '-n', 'shop', '-l', 'app in (web)', '-o', `jsonpath=${path}`),
      'reader',
    );
    assert.match(
      await ok('get', 'pods', '-A', '--field-selector=status.phase=Pending', '-o', 'name'),
      /pod\/web/,
    );
    assert.match(await ok('get', 'all', '-n', 'shop'), /pod\/web[\s\S]*deployment.apps\/api/);
    assert.match(await ok('describe', 'pod', '-n', 'shop', 'web'), /Service Account: +default/);
    assert.match(await ok('api-resources'), /deployments +deploy +apps\/v1/);
    assert.match(await ok('version'), /Server Version: v1\./);
  });

  it('follows pods with get -w through annotate, a status and delete', async () => {
    const child = start(['get', 'pods', '-A', '-w', '--output-watch-events', '--no-headers']);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => (await lines.next()).value?.split(/ +/).slice(0, 5).join(' ');
    assert.equal(await next(), 'ADDED shop web 0/2 Pending');
    await ok('annotate', 'pod', '-n', 'shop', 'web', 'iam.amazonaws.com/role=writer', '--overwrite');
    assert.equal(await next(), 'MODIFIED shop web 0/2 Pending');
    const web1 = api.store.get(pods, 'shop', 'web');
    assert.equal(web1?.metadata.annotations?.['iam.amazonaws.com/role'], 'writer');
    const patch = '{"status":{"phase":"Running"}}';
    await ok('patch', 'pod', '-n', 'shop', 'web', '--subresource=status', '--type=merge', '-p', patch);
    assert.equal(await next(), 'MODIFIED shop web 0/2 Running');
    await ok('label', 'pod', '-n', 'shop', 'web', 'app-');
    assert.equal(await next(), 'MODIFIED shop web 0/2 Running');
    await ok('delete', 'pod', '-n', 'shop', 'web');
    assert.equal(await next(), 'DELETED shop web 0/2 Running');
    child.kill();
  });

  it('creates tokens, bound to a pod if asked', async () => {
    await ok('apply', '-f', 'web.yaml');
    const bound = ['--bound-object-kind=Pod', '--bound-object-name=web'];
    const args = ['--audience=sts.amazonaws.com', '--duration=20m', ...bound];
    const token = (await ok('create', 'token', '-n', 'shop', 'default', ...args)).trim();
    const payload = decodeJwt(token);
    assert.deepEqual(payload.aud, ['sts.amazonaws.com']);
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 1_200);
    assert.equal(textAt(payload['kubernetes.io'] as Json, 'pod', 'name'), 'web');
    const own = (await ok('create', 'token', '-n', 'shop', 'default')).trim();
    assert.match(await ok('auth', 'whoami', '--token', own), /Username +system:serviceaccount:shop:default/);
  });

  it('creates what it makes up itself', async () => {
    await ok('create', 'namespace', 'made');
    await ok('create', 'serviceaccount', '-n', 'made', 'robot');
    await ok('create', 'configmap', '-n', 'made', 'settings', '--from-literal=a=b');
    await ok('run', '-n', 'made', 'job', '--image=job:1');
    assert.deepEqual(api.store.get(configMaps, 'made', 'settings')?.data, { a: 'b' });
    assert.ok(api.store.get(pods, 'made', 'job'));
    assert.match(await ok('auth', 'can-i', 'delete', 'pods'), /yes/);
  });

  it('deletes a namespace and waits until it is gone', async () => {
    await ok('apply', '-f', 'web.yaml');
    assert.match(await ok('delete', 'namespace', 'shop'), /namespace "shop" deleted/);
    assert.equal(api.store.get(namespaces, '', 'shop'), undefined);
    assert.deepEqual(api.store.list(pods, 'shop'), []);
  });

  it('shows what is wrong in its usual words', async () => {
    const missing = await run('get', 'pod', 'gone');
    assert.equal(missing.code, 1);
    assert.match(missing.errors, /Error from server \(NotFound\): pods "gone" not found/);
    const unknown = await run('create', 'deployment', 'x', '--image=x');
    assert.match(unknown.errors, /kubectl apply -f/);
  });
});
