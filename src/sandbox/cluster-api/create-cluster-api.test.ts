import assert from 'node:assert/strict';
import { request } from 'node:https';
import { describe, it } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { PodpassError } from '../../base/errors.ts';
import { createFakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom, systemRandom } from '../../base/random.ts';
import { createCertificates } from '../certificates.ts';
import { createClusterApi } from './create-cluster-api.ts';
import { type Json, listAt } from './json.ts';
import { startTestCluster } from './testing/test-cluster.ts';
import { createPod } from './testing/test-store.ts';

describe('the cluster API', () => {
  it('serves one cluster on every listener', async () => {
    const cluster = await startTestCluster();
    const second = await cluster.api.listen('127.0.0.1', 0);
    assert.notEqual(second.url, cluster.url);
    createPod(cluster.api.store, 'web');
    const headers = { authorization: 'Bearer admin-token' };
    const answer = await fetch(`${second.url}/api/v1/pods`, { headers, signal: AbortSignal.timeout(5_000) });
    assert.equal(listAt((await answer.json()) as Json, 'items').length, 1);
    await second.close();
    assert.equal((await cluster.call('GET', '/api/v1/pods')).code, 200);
    await cluster.close();
  });

  it('speaks HTTPS when it has a certificate', async () => {
    const names = { serverNames: ['127.0.0.1'], validDays: 1 };
    const { ca, server } = await createCertificates({ clock: systemClock, random: systemRandom, ...names });
    const options = { clock: createFakeClock(), random: createSeededRandom(1), adminToken: 'x' };
    const api = createClusterApi({ ...options, tls: server });
    const { url, close } = await api.listen('127.0.0.1', 0);
    assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const code = await new Promise((resolve, reject) => {
      request(`${url}/healthz`, { ca, agent: false }, (answer) => resolve(answer.resume().statusCode))
        .once('error', reject)
        .end();
    });
    assert.equal(code, 200);
    await close();
  });

  it('ends open watches when it closes', async () => {
    const cluster = await startTestCluster();
    const watch = await cluster.watch('/api/v1/pods?watch=true');
    await cluster.close();
    await assert.rejects(watch.next());
    assert.equal(cluster.clock.pending, 0);
    await assert.rejects(cluster.call('GET', '/healthz'));
  });

  it('says which address it cannot have', async () => {
    const cluster = await startTestCluster();
    const port = Number(new URL(cluster.url).port);
    await assert.rejects(cluster.api.listen('127.0.0.1', port), (error) => {
      assert.ok(error instanceof PodpassError);
      assert.equal(error.code, 'ERR_LISTEN');
      assert.ok(error.message.includes(`127.0.0.1:${port}`));
      return true;
    });
    await cluster.close();
  });

  it('makes the same cluster from the same seed', () => {
    const uids = [1, 1, 2].map((seed) => {
      const { store } = createClusterApi({
        clock: createFakeClock(),
        random: createSeededRandom(seed),
        adminToken: 'x',
      });
      return createPod(store, 'web').metadata.uid;
    });
    assert.equal(uids[0], uids[1]);
    assert.notEqual(uids[0], uids[2]);
  });

  it('takes issuer and audiences as they are given', async () => {
    const cluster = await startTestCluster({ issuer: 'https://issuer.example', audiences: ['a', 'b'] });
    assert.equal(cluster.api.tokens.issuer, 'https://issuer.example');
    assert.deepEqual(cluster.api.tokens.audiences, ['a', 'b']);
    const issued = await cluster.api.tokens.issue('default', 'default', {
      audiences: ['b'],
      expirationSeconds: 600,
    });
    assert.equal(issued.kind, 'done');
    const token = issued.kind === 'done' ? issued.value.token : '';
    assert.equal((await cluster.call('GET', '/api/v1/pods', { token })).code, 200);
    await cluster.close();
  });
});
