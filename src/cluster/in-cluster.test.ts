import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { isInCluster, loadInClusterConfig } from './in-cluster.ts';

const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
const fresh = { refused: false };

async function mount(t: TestContext, files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'podpass-in-cluster-'));
  t.after(() => rm(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

describe('the configuration of a pod', () => {
  it('is what kubelet mounts', async (t) => {
    const directory = await mount(t, { token: 'token-1\n', 'ca.crt': 'PEM', namespace: 'kube-system' });
    const config = await loadInClusterConfig({ env, clock: createFakeClock(), directory });
    assert.equal(config.server, 'https://10.96.0.1:443');
    assert.equal(config.namespace, 'kube-system');
    assert.deepEqual(await config.access(fresh), {
      headers: { authorization: 'Bearer token-1' },
      tls: { ca: 'PEM' },
    });
  });

  const addresses: [Record<string, string>, string][] = [
    [{ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }, 'https://[fd00::1]:6443'],
    [{ KUBERNETES_SERVICE_HOST: 'kubernetes.default.svc' }, 'https://kubernetes.default.svc:443'],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '' }, 'https://10.0.0.1:443'],
  ];
  for (const [given, server] of addresses) {
    it(`has the address ${server} from ${JSON.stringify(given)}`, async (t) => {
      const directory = await mount(t, { token: 't', 'ca.crt': 'PEM' });
      const config = await loadInClusterConfig({ env: given, clock: createFakeClock(), directory });
      assert.equal(config.server, server);
      assert.equal(config.namespace, undefined);
    });
  }

  it('reads token and CA again after a minute, and not before', async (t) => {
    const directory = await mount(t, { token: 'token-1', 'ca.crt': 'PEM-1' });
    const clock = createFakeClock();
    const config = await loadInClusterConfig({ env, clock, directory });
    await writeFile(join(directory, 'token'), 'token-2');
    await writeFile(join(directory, 'ca.crt'), 'PEM-2');
    await clock.advance(59_999);
    assert.equal((await config.access(fresh)).headers.authorization, 'Bearer token-1');
    await clock.advance(1);
    assert.deepEqual(await config.access(fresh), {
      headers: { authorization: 'Bearer token-2' },
      tls: { ca: 'PEM-2' },
    });
  });

  it('reads them at once when the token was refused', async (t) => {
    const directory = await mount(t, { token: 'token-1', 'ca.crt': 'PEM' });
    const config = await loadInClusterConfig({ env, clock: createFakeClock(), directory });
    await writeFile(join(directory, 'token'), 'token-2');
    assert.equal((await config.access({ refused: true })).headers.authorization, 'Bearer token-2');
  });

  it('keeps the last ones while the files are away or hold nothing of use', async (t) => {
    const directory = await mount(t, { token: 'token-1', 'ca.crt': 'PEM' });
    const config = await loadInClusterConfig({ env, clock: createFakeClock(), directory });
    for (const spoil of [() => writeFile(join(directory, 'token'), ''), () => rm(join(directory, 'token'))]) {
      await spoil();
      assert.equal((await config.access({ refused: true })).headers.authorization, 'Bearer token-1');
    }
  });

  it('is not there outside a cluster', async () => {
    await assert.rejects(loadInClusterConfig({ env: {}, clock: createFakeClock() }), {
      code: 'ERR_CLUSTER_CONFIG',
      message: /KUBERNETES_SERVICE_HOST is not set.*--kubeconfig/,
    });
    assert.equal(isInCluster({}), false);
    assert.equal(isInCluster({ KUBERNETES_SERVICE_HOST: '' }), false);
    assert.equal(isInCluster(env), true);
  });

  const missing: [string, Record<string, string>, RegExp][] = [
    ['no token', { 'ca.crt': 'PEM' }, /token: ENOENT.*automountServiceAccountToken/],
    ['no CA', { token: 't' }, /ca\.crt: ENOENT/],
    ['an empty token', { token: '\n', 'ca.crt': 'PEM' }, /does not hold a token/],
    ['a token of two lines', { token: 'a\nx-header: b', 'ca.crt': 'PEM' }, /does not hold a token/],
    ['a token too large', { token: 'a'.repeat(70_000), 'ca.crt': 'PEM' }, /does not hold a token/],
  ];
  for (const [what, files, message] of missing) {
    it(`is refused with ${what}, and the message names the file`, async (t) => {
      const directory = await mount(t, files);
      await assert.rejects(loadInClusterConfig({ env, clock: createFakeClock(), directory }), {
        code: 'ERR_CLUSTER_CONFIG',
        message,
      });
    });
  }
});
