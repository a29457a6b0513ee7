import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { makeView } from '../broker/testing/objects.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { startAgent, startBrokerServer, type TestAgent, type TestServer, until } from './testing/harness.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(...args: Parameters<typeof startBrokerServer>): Promise<TestServer> {
  const started = await startBrokerServer(...args);
  cleanups.push(() => started.server.close());
  return started;
}

function agent(...args: Parameters<typeof startAgent>): TestAgent {
  const started = startAgent(...args);
  cleanups.push(() => started.stop());
  return started;
}

const isSynced = ({ feed }: TestAgent) => feed.status.kind === 'connected' && feed.status.synced;

function pods(count: number) {
  return Array.from({ length: count }, (_, i) =>
    makeView({ name: `web-${i}`, addresses: [`10.0.${i >> 8}.${i & 255}`] }),
  );
}

describe('an agent and its server', () => {
  it('tells the agent of the pods of its node, then of each change', async () => {
    const { source, port } = await server();
    const [web, db] = [makeView({ name: 'web' }), makeView({ name: 'db', addresses: ['10.0.0.2'] })];
    source.set(web);
    const { sink, feed } = agent([port]);
    await until('the state arrives', () => sink.log.includes('synced'));
    assert.deepEqual(sink.log, ['+uid-web', 'synced']);
    assert.deepEqual(sink.held.get(web.uid), web);
    assert.deepEqual(source.watching, [{ nodeName: 'node-1' }]);
    assert.ok(feed.connectedOnce);

    source.set(db);
    source.delete(web.uid);
    await until('the changes arrive', () => sink.log.length === 4);
    assert.deepEqual(sink.log.slice(2), ['+uid-db', '-uid-web']);
  });

  it('knows the node by its address where that is all the agent knows', async () => {
    const { source, port } = await server();
    agent([port], { node: { hostIp: '192.168.0.1' } });
    await until('the stream is open', () => source.watching.length === 1);
    assert.deepEqual(source.watching, [{ hostIp: '192.168.0.1' }]);
  });

  for (const count of [110, 1_000]) {
    it(`carries ${count} pods`, async () => {
      const { source, port } = await server();
      const views = pods(count);
      for (const view of views) source.set(view);
      const { sink } = agent([port]);
      await until('the state arrives', () => sink.log.includes('synced'));
      assert.equal(sink.log.length, count + 1);
      assert.deepEqual([...sink.held.values()], views);
    });
  }

  it('keeps what it holds while the server is away, and drops what is gone when it is back', async () => {
    const first = await server();
    const [stays, goes] = [makeView({ name: 'stays' }), makeView({ name: 'goes', addresses: ['10.0.0.2'] })];
    first.source.set(stays);
    first.source.set(goes);
    const metrics = createMetrics();
    const one = agent([first.port], { metrics });
    await until('the agent is in sync', () => isSynced(one));

    first.server.close();
    await until('the agent notices', () => one.feed.status.kind === 'connecting', one.clock);
    assert.deepEqual([...one.sink.held.keys()], ['uid-stays', 'uid-goes']);
    const { values } = await metrics.feedConnected.get();
    assert.equal(values[0]?.value, 0);

    const second = await server({ port: first.port });
    second.source.synced = false;
    second.source.set(stays);
    await until('the new server is asked', () => one.feed.status.kind === 'connected', one.clock);
    await until('the state arrives', () => one.sink.log.filter((line) => line === '+uid-stays').length === 2);
    assert.ok(one.sink.held.has('uid-goes'), 'nothing is dropped before everything was told');

    second.source.set(makeView({ name: 'new', addresses: ['10.0.0.2'] }));
    // The listener is the only one, so its synced is that of the agent.
    second.source.synced = true;
    second.server.close();
    const third = await server({ port: first.port, source: second.source });
    await until('the agent is in sync', () => isSynced(one), one.clock);
    assert.deepEqual([...one.sink.held.keys()].sort(), ['uid-new', 'uid-stays']);
    assert.equal(third.source.watching.length, 1);
    assert.equal((await metrics.feedReconnects.get()).values[0]?.value, 2);
  });

  it('moves to another server when its own goes, and prefers the first again later', async () => {
    const [a, b] = [await server(), await server()];
    a.source.set(makeView({ name: 'web' }));
    b.source.set(makeView({ name: 'web' }));
    const one = agent([a.port, b.port]);
    await until('the agent streams from the first', () => isSynced(one) && a.source.watching.length === 1);
    assert.equal(b.source.watching.length, 0);

    a.server.close();
    await until('the agent streams from the second', () => b.source.watching.length === 1, one.clock);
    await until('it is in sync', () => isSynced(one));
    assert.ok(!one.sink.log.includes('-uid-web'));

    await server({ port: a.port, source: a.source });
    await one.clock.advance(31_000);
    await b.server.drain(1_000).catch(() => {});
    await until('the agent streams from the first again', () => a.source.watching.length === 1, one.clock);
  });

  it('starts before its server does, and connects when there is one', async () => {
    const { port, server: early } = await server();
    early.close();
    const one = agent([port]);
    await until(
      'the agent has failed',
      () => one.feed.status.kind === 'connecting' && one.feed.status.problem !== undefined,
      one.clock,
    );
    assert.equal(one.feed.connectedOnce, false);
    await server({ port });
    await until('the agent is in sync', () => isSynced(one), one.clock);
    assert.equal(one.feed.connectedOnce, true);
  });

  it('goes on after a stream that its server ended on account of age', async () => {
    const { createFakeClock } = await import('../base/fake-clock.ts');
    const serverClock = createFakeClock();
    const { source, port } = await server({ clock: serverClock, maxStreamAgeMillis: 900_000 });
    source.set(makeView({ name: 'web' }));
    const one = agent([port]);
    await until('the agent is in sync', () => isSynced(one));
    await serverClock.advance(900_000 * 1.2);
    await until(
      'the agent is in sync again',
      () => one.sink.log.filter((line) => line === 'synced').length === 2,
      one.clock,
    );
    assert.deepEqual(one.sink.log, ['+uid-web', 'synced', '+uid-web', 'synced']);
    assert.equal(source.watching.length, 1);
  });

  it('ends its stream when it is stopped', async () => {
    const { source, port } = await server();
    const one = agent([port]);
    await until('the agent is in sync', () => isSynced(one));
    await one.stop();
    await until('the server notices', () => source.watching.length === 0);
    assert.equal(one.clock.pending, 0);
  });
});

describe('the search for a pod that the agent was not told of', () => {
  const never = new AbortController().signal;
  const web = makeView({ name: 'web' });

  it('asks the server, and holds what it finds', async () => {
    const { source, port } = await server();
    const one = agent([port]);
    await until('the agent is in sync', () => isSynced(one));
    source.onFind = async () => [web];
    assert.deepEqual(await one.feed.find('10.0.0.1', { waitMillis: 800, signal: never }), [web]);
    assert.deepEqual(one.sink.held.get(web.uid), web);
    const [search] = source.searches;
    assert.equal(search?.address, '10.0.0.1');
    assert.equal(search?.waitMillis, 800);
    assert.deepEqual(search?.node, { nodeName: 'node-1' });
  });

  it('ends empty-handed when the server finds none', async () => {
    const { port } = await server();
    const one = agent([port]);
    await until('the agent is in sync', () => isSynced(one));
    assert.deepEqual(await one.feed.find('10.9.9.9', { waitMillis: 800, signal: never }), []);
  });

  it('ends within its time when the server does not answer', async () => {
    const { source, port } = await server();
    const one = agent([port]);
    await until('the agent is in sync', () => isSynced(one));
    source.onFind = () => new Promise(() => {});
    const search = one.feed.find('10.0.0.1', { waitMillis: 800, signal: never });
    await until('the server is asked', () => source.searches.length === 1);
    await one.clock.advance(800 + 250);
    assert.deepEqual(await search, []);
    await until('the server is told', () => source.searches[0]?.signal.aborted === true);
  });

  it('ends within its time when there is no server', async () => {
    const { port, server: gone } = await server();
    gone.close();
    const one = agent([port]);
    const search = one.feed.find('10.0.0.1', { waitMillis: 800, signal: never });
    await one.clock.advance(800);
    assert.deepEqual(await search, []);
  });

  it('waits for the connection and then asks', async () => {
    const { source, port, server: early } = await server();
    early.close();
    source.set(web);
    source.synced = false;
    const one = agent([port]);
    const search = one.feed.find('10.0.0.1', { waitMillis: 60_000, signal: never });
    await server({ port, source });
    await until('the server is asked', () => source.searches.length === 1, one.clock);
    assert.deepEqual(await search, [web]);
  });

  it('rejects when its signal aborts, and the server stops searching', async () => {
    const { source, port } = await server();
    const one = agent([port]);
    await until('the agent is in sync', () => isSynced(one));
    source.onFind = () => new Promise(() => {});
    const caller = new AbortController();
    const search = one.feed.find('10.0.0.1', { waitMillis: 800, signal: caller.signal });
    await until('the server is asked', () => source.searches.length === 1);
    caller.abort(new Error('the caller went away'));
    await assert.rejects(search, /the caller went away/);
    await until('the server stops', () => source.searches[0]?.signal.aborted === true);
  });
});
