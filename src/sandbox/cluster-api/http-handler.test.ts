import assert from 'node:assert/strict';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { at, listAt, textAt } from './json.ts';
import { accepted } from './testing/outcomes.ts';
import { adminToken, startTestCluster, type TestCluster, type WatchLines } from './testing/test-cluster.ts';
import { changed, configMaps, createPod, pods } from './testing/test-store.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster();
});
afterEach(() => cluster.close());

const watchList = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

/** The next events as `ADDED web`. */
async function take(watch: WatchLines, count: number): Promise<string[]> {
  const taken: string[] = [];
  for (let i = 0; i < count; i++) {
    const event = await watch.next();
    taken.push(event ? `${event.type} ${textAt(event.object, 'metadata', 'name')}`.trim() : 'end');
  }
  return taken;
}

describe('a watch over HTTP', () => {
  it('streams what happens while it happens', async () => {
    const { store } = cluster.api;
    const watch = await cluster.watch(`/api/v1/pods?watch=true&resourceVersion=${store.resourceVersion}`);
    assert.equal(watch.code, 200);
    const pod = createPod(store, 'web');
    assert.deepEqual(await watch.next(), { type: 'ADDED', object: pod });
    const next = accepted(store.update(pods, changed(pod, { labels: { a: 'b' } })));
    assert.deepEqual(await watch.next(), { type: 'MODIFIED', object: next });
    accepted(store.delete(pods, 'default', 'web'));
    assert.deepEqual(await take(watch, 1), ['DELETED web']);
    watch.close();
  });

  it('sees what other requests write', async () => {
    const watch = await cluster.watch('/api/v1/namespaces?watch=true&fieldSelector=metadata.name%3Dshop');
    await cluster.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'shop' } } });
    await cluster.call('DELETE', '/api/v1/namespaces/shop');
    assert.deepEqual(await take(watch, 1), ['ADDED shop']);
    let last = '';
    while (last !== 'DELETED shop') [last = 'end'] = await take(watch, 1);
    watch.close();
  });

  it('lists first and says when that was all', async () => {
    createPod(cluster.api.store, 'web');
    const watch = await cluster.watch(`/api/v1/pods?watch=true&${watchList}`);
    assert.deepEqual(await take(watch, 1), ['ADDED web']);
    const end = await watch.next();
    assert.equal(end?.type, 'BOOKMARK');
    assert.equal(end.object.kind, 'Pod');
    assert.equal(at(end.object, 'metadata', 'annotations', 'k8s.io/initial-events-end'), 'true');
    watch.close();
  });

  it('ends when its time is up', async () => {
    const watch = await cluster.watch('/api/v1/pods?watch=true&timeoutSeconds=5&allowWatchBookmarks=true');
    await cluster.clock.advance(5_000);
    assert.deepEqual(await take(watch, 2), ['BOOKMARK', 'end']);
    assert.equal(cluster.clock.pending, 0);
  });

  it('is forgotten when its client goes', async () => {
    const watch = await cluster.watch('/api/v1/pods?watch=true');
    assert.equal(cluster.clock.pending, 1);
    watch.close();
    // The server notices by an event of its own; a bound in turns of the loop, not in time.
    for (let turn = 0; turn < 10_000 && cluster.clock.pending > 0; turn++) await new Promise(setImmediate);
    assert.equal(cluster.clock.pending, 0);
    assert.equal(cluster.api.faults.cutWatches(), 0);
  });

  it('shows tables with their columns once, and ages of the moment', async () => {
    const { store } = cluster.api;
    createPod(store, 'a');
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const watch = await cluster.watch('/api/v1/pods?watch=true&allowWatchBookmarks=true', { accept });
    const first = await watch.next();
    assert.equal(first?.object.kind, 'Table');
    assert.equal(listAt(first.object, 'columnDefinitions').length, 7);
    await cluster.clock.advance(45_000);
    accepted(store.delete(pods, 'default', 'a'));
    const second = await watch.next();
    assert.equal(second?.type, 'DELETED');
    assert.deepEqual(second.object.columnDefinitions, []);
    assert.equal(listAt(listAt(second.object, 'rows')[0], 'cells')[4], '45s');
    await cluster.clock.advance(15_000);
    const bookmark = await watch.next();
    assert.equal(bookmark?.object.kind, 'Table');
    assert.deepEqual(bookmark.object.rows, []);
    assert.deepEqual(bookmark.object.metadata, {
      resourceVersion: String(store.resourceVersion),
      creationTimestamp: null,
    });
    watch.close();
  });

  it('shows metadata alone to those who want no more', async () => {
    createPod(cluster.api.store, 'web');
    const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
    const watch = await cluster.watch(`/api/v1/pods?watch=true&${watchList}`, { accept });
    const first = await watch.next();
    assert.deepEqual(Object.keys(first?.object ?? {}).sort(), ['apiVersion', 'kind', 'metadata']);
    const end = await watch.next();
    assert.equal(end?.object.kind, 'PartialObjectMetadata');
    assert.equal(end.object.apiVersion, 'meta.k8s.io/v1');
    watch.close();
  });

  it('lists what is there at the pace of the client, however much it is', async () => {
    const { store } = cluster.api;
    const data = { filler: 'x'.repeat(1024 * 1024) };
    for (let i = 0; i < 24; i += 1)
      accepted(store.create(configMaps, { metadata: { name: `c-${i}`, namespace: 'default' }, data }));
    const watch = await cluster.watch(`/api/v1/configmaps?watch=true&${watchList}`);
    for (let i = 0; i < 24; i += 1) assert.equal((await watch.next())?.type, 'ADDED');
    assert.equal((await watch.next())?.type, 'BOOKMARK');
    watch.close();
  });

  it('is cut off when its client reads too slowly, so that nothing piles up', async () => {
    const { store } = cluster.api;
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
    const headers = { authorization: `Bearer ${adminToken}` };
    const agent = new Agent();
    httpRequest(`${cluster.url}/api/v1/configmaps?watch=true`, { agent, headers }, resolve).end();
    const unread = await promise;
    const data = { filler: 'x'.repeat(1024 * 1024) };
    let written = 0;
    while (cluster.clock.pending > 0 && written < 200) {
      accepted(store.create(configMaps, { metadata: { name: `c-${written}`, namespace: 'default' }, data }));
      written += 1;
      await new Promise(setImmediate);
    }
    assert.equal(cluster.clock.pending, 0);
    assert.ok(written > 16 && written < 200, `${written} MB`);
    unread.destroy();
    agent.destroy();
  });

  const refusals: [string, number][] = [
    ['sendInitialEvents=true', 422],
    ['resourceVersion=x', 400],
    ['resourceVersion=999999', 504],
    ['labelSelector=%3D', 400],
  ];
  for (const [query, code] of refusals) {
    it(`is refused with ${code} before it begins for ${query}`, async () => {
      const answer = await cluster.call('GET', `/api/v1/pods?watch=true&${query}`);
      assert.equal(answer.code, code);
      assert.equal(answer.body.kind, 'Status');
    });
  }
});

describe('faults over HTTP', () => {
  it('answer what they are told, for as many requests', async () => {
    cluster.api.faults.failNext(1, { code: 503, reason: 'ServiceUnavailable', message: 'later' });
    const failed = await cluster.call('GET', '/api/v1/pods');
    assert.deepEqual(
      [failed.code, failed.body.reason, failed.body.message],
      [503, 'ServiceUnavailable', 'later'],
    );
    assert.equal((await cluster.call('GET', '/api/v1/pods')).code, 200);
  });

  it('drop connections', async () => {
    cluster.api.faults.dropNext(1);
    await assert.rejects(cluster.call('GET', '/api/v1/pods'), TypeError);
    assert.equal((await cluster.call('GET', '/api/v1/pods')).code, 200);
  });

  it('hold requests', async () => {
    cluster.api.faults.delay(3_000, ({ path }) => path === '/api/v1/pods');
    const held = cluster.call('GET', '/api/v1/pods');
    assert.equal((await cluster.call('GET', '/api/v1/nodes')).code, 200);
    while (cluster.clock.pending === 0) await new Promise(setImmediate);
    await cluster.clock.advance(3_000);
    assert.equal((await held).code, 200);
  });

  it('cut watches in the middle', async () => {
    const watch = await cluster.watch('/api/v1/pods?watch=true');
    assert.equal(cluster.api.faults.cutWatches(), 1);
    await assert.rejects(watch.next());
    assert.equal(cluster.clock.pending, 0);
  });

  it('expire what a watch would resume from', async () => {
    const { store, faults } = cluster.api;
    const version = store.resourceVersion;
    faults.expireHistory();
    const watch = await cluster.watch(`/api/v1/pods?watch=true&resourceVersion=${version}`);
    const event = await watch.next();
    assert.equal(event?.type, 'ERROR');
    assert.equal(event.object.code, 410);
    assert.equal(event.object.reason, 'Expired');
    assert.equal(await watch.next(), undefined);
  });

  it('refuse WatchList in both ways that servers do, and nothing else', async () => {
    cluster.api.faults.watchList = 'forbid';
    const forbidden = await cluster.call('GET', `/api/v1/pods?watch=true&${watchList}`);
    assert.equal(forbidden.code, 422);
    cluster.api.faults.watchList = 'error-event';
    const watch = await cluster.watch(`/api/v1/pods?watch=true&${watchList}`);
    const event = await watch.next();
    assert.deepEqual([event?.type, event?.object.code], ['ERROR', 500]);
    assert.equal(await watch.next(), undefined);
    const plain = await cluster.watch('/api/v1/pods?watch=true');
    assert.equal(plain.code, 200);
    plain.close();
  });
});

describe('the connection', () => {
  function send(agent: Agent, method: string, path: string, body?: Buffer): Promise<number | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const headers = { authorization: `Bearer ${adminToken}`, ...(body && { 'content-length': body.length }) };
    const request = httpRequest(
      `${cluster.url}${path}`,
      { agent, method, headers },
      (answer: IncomingMessage) => {
        answer.resume().once('end', () => resolve(answer.statusCode));
      },
    );
    request.once('error', reject).end(body);
    return promise;
  }

  it('serves the next request after a body that was too large', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answers = [send(agent, 'POST', '/api/v1/nodes', Buffer.alloc(6 * 1024 * 1024, 'x'))];
    answers.push(send(agent, 'GET', '/api/v1/nodes'));
    assert.deepEqual(await Promise.all(answers), [413, 200]);
    agent.destroy();
  });

  it('survives a defect, which it answers with 500', async () => {
    const broken = await startTestCluster({
      authorize: () => {
        throw new Error('defect');
      },
    });
    const { code, body } = await broken.call('GET', '/api/v1/pods');
    assert.equal(code, 500);
    assert.equal(body.reason, 'InternalError');
    assert.ok(!JSON.stringify(body).includes('defect'));
    assert.equal((await broken.call('GET', '/healthz')).code, 200);
    await broken.close();
  });

  for (const path of [
    '//',
    '/api/v1/namespaces/%',
    '/api/v1/pods?watch',
    '/api/v1/pods?a=b?c=d',
    '/%2e%2e/api',
    '/?',
  ]) {
    it(`answers ${JSON.stringify(path)} with something`, async () => {
      const { code } = await cluster.call('GET', path);
      assert.ok(code === 200 || code === 404, `${code}`);
    });
  }
});
