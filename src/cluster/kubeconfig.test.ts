import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { type KubeconfigOptions, loadKubeconfig } from './kubeconfig.ts';
import { loadClusterConfig } from './load-cluster-config.ts';

const fresh = { refused: false };

interface Entry {
  readonly context?: string;
  readonly server?: string;
  readonly cluster?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
  readonly namespace?: string;
}

/** A kubeconfig in JSON, which is YAML too. */
function kubeconfig(...entries: Entry[]): string {
  const named = entries.map((entry) => ({ context: 'dev', server: 'https://k8s.test:6443', ...entry }));
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': named[0]?.context,
    clusters: named.map(({ context, server, cluster }) => ({
      name: `${context}-c`,
      cluster: { server, ...cluster },
    })),
    users: named.map(({ context, user }) => ({ name: `${context}-u`, user: user ?? {} })),
    contexts: named.map(({ context, namespace }) => ({
      name: context,
      context: { cluster: `${context}-c`, user: `${context}-u`, ...(namespace && { namespace }) },
    })),
  });
}

async function directoryOf(t: TestContext, files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'podpass-kubeconfig-'));
  t.after(() => rm(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

async function load(t: TestContext, entries: Entry[], options: Partial<KubeconfigOptions> = {}) {
  const directory = await directoryOf(t, { config: kubeconfig(...entries) });
  return loadKubeconfig({ path: join(directory, 'config'), env: {}, ...options });
}

describe('a kubeconfig', () => {
  it('has the server, the namespace and the token of its current context', async (t) => {
    const config = await load(t, [
      { server: 'https://k8s.test:6443/', namespace: 'team', user: { token: 'secret' } },
    ]);
    assert.equal(config.server, 'https://k8s.test:6443');
    assert.equal(config.namespace, 'team');
    assert.match(config.source, /^context dev of .*config$/);
    assert.deepEqual(await config.access(fresh), { headers: { authorization: 'Bearer secret' }, tls: {} });
  });

  it('has the context that is asked for', async (t) => {
    const config = await load(t, [{}, { context: 'live', server: 'https://live.test' }], { context: 'live' });
    assert.equal(config.server, 'https://live.test');
  });

  it('has certificates, from data or from files beside it', async (t) => {
    const directory = await directoryOf(t, {
      'ca.pem': 'CA',
      'key.pem': 'KEY',
      config: kubeconfig({
        cluster: { 'certificate-authority': 'ca.pem', 'tls-server-name': 'kubernetes' },
        user: { 'client-certificate-data': btoa('CERT'), 'client-key': 'key.pem' },
      }),
    });
    const config = await loadKubeconfig({ path: join(directory, 'config'), env: {} });
    const { tls } = await config.access(fresh);
    assert.deepEqual(tls, { ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'kubernetes' });
  });

  it('leaves the server unchecked only where it says so', async (t) => {
    const config = await load(t, [{ cluster: { 'insecure-skip-tls-verify': true } }]);
    assert.equal((await config.access(fresh)).tls.rejectUnauthorized, false);
  });

  it('has a name and a password', async (t) => {
    const config = await load(t, [{ user: { username: 'ann', password: 'pass' } }]);
    assert.equal((await config.access(fresh)).headers.authorization, `Basic ${btoa('ann:pass')}`);
  });

  it('speaks for another user', async (t) => {
    const config = await load(t, [{ user: { token: 't', as: 'bob' } }]);
    assert.equal((await config.access(fresh)).headers['impersonate-user'], 'bob');
  });

  it('reaches a server over plain http, as that of a sandbox', async (t) => {
    const config = await load(t, [{ server: 'http://127.0.0.1:8001', user: { token: 't' } }]);
    assert.equal(config.server, 'http://127.0.0.1:8001');
    assert.deepEqual(await config.access(fresh), {
      headers: { authorization: 'Bearer t' },
      tls: {
        rejectUnauthorized: false,
      },
    });
  });

  it('goes through a proxy', async (t) => {
    const config = await load(t, [{ cluster: { 'proxy-url': 'http://127.0.0.1:3128' } }]);
    assert.equal((await config.access(fresh)).agent?.constructor.name, 'HttpsProxyAgent');
  });

  it('runs an exec plugin, keeps what it said, and runs it again when that was refused', async (t) => {
    const directory = await directoryOf(t, { count: '' });
    const plugin = join(directory, 'plugin');
    await writeFile(
      plugin,
      `#!/bin/sh
printf x >> "${directory}/count"
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from-plugin"}}'
`,
    );
    await chmod(plugin, 0o700);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin };
    const config = await load(t, [{ user: { exec } }]);
    for (const refused of [false, false, true, false]) {
      assert.equal((await config.access({ refused })).headers.authorization, 'Bearer from-plugin');
    }
    assert.equal(await readFile(join(directory, 'count'), 'utf8'), 'xx');
  });

  it('whose exec plugin fails says so, and where it stands', async (t) => {
    const config = await load(t, [{ user: { exec: { command: '/nonexistent/plugin' } } }]);
    await assert.rejects(config.access(fresh), {
      code: 'ERR_CLUSTER_CONFIG',
      message: /^context dev of .*no credentials.*nonexistent.*Does kubectl work/,
    });
  });

  const wrong: [string, string, RegExp][] = [
    ['is not YAML', '{', /cannot be used/],
    ['is empty', '', /cannot be used|no usable context/],
    [
      'has no current context',
      kubeconfig({}).replace('"current-context":"dev"', '"x":1'),
      /no usable context.*It has: dev/,
    ],
    [
      'names a cluster that is not there',
      kubeconfig({}).replace('"name":"dev-c"', '"name":"other"'),
      /no usable context/,
    ],
  ];
  for (const [what, text, message] of wrong) {
    it(`that ${what} is refused by its path`, async (t) => {
      const directory = await directoryOf(t, { config: text });
      const path = join(directory, 'config');
      await assert.rejects(loadKubeconfig({ path, env: {} }), (error: Error & { code: string }) => {
        assert.equal(error.code, 'ERR_CLUSTER_CONFIG');
        assert.match(error.message, message);
        return error.message.includes(path);
      });
    });
  }

  it('without the context that is asked for names those it has', async (t) => {
    await assert.rejects(load(t, [{}, { context: 'live' }], { context: 'stage' }), {
      code: 'ERR_CLUSTER_CONFIG',
      message: /no usable context "stage". It has: dev, live\./,
    });
  });
});

describe('where a kubeconfig is looked for', () => {
  it('KUBECONFIG lists files; the first that names a thing wins, and missing ones are passed over', async (t) => {
    const directory = await directoryOf(t, {
      one: kubeconfig({ server: 'https://one.test' }),
      two: kubeconfig({ server: 'https://two.test' }, { context: 'live', server: 'https://live.test' }),
    });
    const KUBECONFIG = ['missing', 'one', 'two'].map((name) => join(directory, name)).join(delimiter);
    assert.equal((await loadKubeconfig({ env: { KUBECONFIG } })).server, 'https://one.test');
    assert.equal(
      (await loadKubeconfig({ env: { KUBECONFIG }, context: 'live' })).server,
      'https://live.test',
    );
  });

  it('~/.kube/config otherwise', async (t) => {
    const HOME = await directoryOf(t, {});
    await mkdir(join(HOME, '.kube'));
    await writeFile(join(HOME, '.kube', 'config'), kubeconfig({ server: 'https://home.test' }));
    assert.equal((await loadKubeconfig({ env: { HOME } })).server, 'https://home.test');
  });

  it('nowhere is an error that says what to do', async () => {
    for (const env of [{}, { HOME: '/nonexistent' }]) {
      await assert.rejects(loadKubeconfig({ env }), {
        code: 'ERR_CLUSTER_CONFIG',
        message: /no kubeconfig at .*\.kube\/config\. Give --kubeconfig/,
      });
    }
  });
});

describe('the configuration of whichever place this is', () => {
  it('is the service account inside a cluster, unless a kubeconfig or a context is named', async (t) => {
    const directory = await directoryOf(t, {
      token: 't',
      'ca.crt': 'PEM',
      config: kubeconfig({}, { context: 'live', server: 'https://live.test' }),
    });
    const path = join(directory, 'config');
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBECONFIG: path };
    const options = { env, clock: createFakeClock(), directory };
    assert.equal((await loadClusterConfig(options)).server, 'https://10.0.0.1:443');
    assert.equal((await loadClusterConfig({ ...options, kubeconfig: '' })).server, 'https://10.0.0.1:443');
    assert.equal((await loadClusterConfig({ ...options, kubeconfig: path })).server, 'https://k8s.test:6443');
    assert.equal((await loadClusterConfig({ ...options, context: 'live' })).server, 'https://live.test');
  });

  it('is the kubeconfig elsewhere', async (t) => {
    const directory = await directoryOf(t, { config: kubeconfig({}) });
    const env = { KUBECONFIG: join(directory, 'config') };
    assert.equal(
      (await loadClusterConfig({ env, clock: createFakeClock() })).server,
      'https://k8s.test:6443',
    );
  });
});
