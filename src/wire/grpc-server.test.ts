import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { afterEach, describe, it } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { createFakeClock } from '../base/fake-clock.ts';
import { makeView } from '../broker/testing/objects.ts';
import * as kiam from './gen/kiam.ts';
import { createGrpcServer } from './grpc-server.ts';
import { startAgent, startBrokerServer, until } from './testing/harness.ts';
import { startKiamServer } from './testing/kiam-harness.ts';
import { type UnaryOutcome, unaryCall } from './unary-call.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const never = new AbortController().signal;

function bare(bind: string) {
  const server = createGrpcServer({ bind, credentials: 'insecure', services: [], clock: createFakeClock() });
  cleanups.push(() => server.close());
  return server;
}

describe('a gRPC server', () => {
  for (const bind of ['127.0.0.1:0', ':0', 'localhost:0']) {
    it(`listens on ${bind}`, async () => {
      const port = await bare(bind).listen();
      assert.ok(port > 0);
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      await new Promise<void>((resolve, reject) => {
        session.once('connect', () => resolve());
        session.once('error', reject);
      });
      session.close();
    });
  }

  it('says what to do when the address is taken', async () => {
    const port = await bare('127.0.0.1:0').listen();
    await assert.rejects(bare(`127.0.0.1:${port}`).listen(), {
      code: 'ERR_LISTEN',
      message: new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${port}: .*Is it taken`, 's'),
    });
  });

  it('says what to do when the address is not of this host', async () => {
    await assert.rejects(bare('192.0.2.1:9610').listen(), { code: 'ERR_LISTEN' });
  });

  it("takes an agent's pings as often as they come, without calls too", async () => {
    const port = await bare('127.0.0.1:0').listen();
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await new Promise((resolve) => session.once('connect', resolve));
    let goaways = 0;
    session.on('goaway', () => {
      goaways += 1;
    });
    for (let i = 0; i < 100; i += 1) {
      await new Promise<void>((resolve, reject) => {
        session.ping((error) => (error ? reject(error) : resolve()));
      });
    }
    assert.equal(goaways, 0);
    session.close();
  });
});

describe('the ages of connections', () => {
  const days = 86_400_000;
  for (const [millis, meaning] of [
    [0, 'no limit, as in Go'],
    [30 * days, 'none that ends at once because a timer overflows'],
  ] as const) {
    it(`of ${millis} ms are ${meaning}`, async () => {
      const server = createGrpcServer({
        bind: '127.0.0.1:0',
        credentials: 'insecure',
        services: [],
        clock: createFakeClock(),
        connections: { maxAge: millis, maxAgeGrace: millis, maxIdle: millis },
      });
      cleanups.push(() => server.close());
      const session = connectHttp2(`http://127.0.0.1:${await server.listen()}`);
      await new Promise((resolve) => session.once('connect', resolve));
      let goaways = 0;
      session.on('goaway', () => {
        goaways += 1;
      });
      for (let i = 0; i < 100; i += 1)
        await new Promise((resolve) => session.ping((error) => resolve(error)));
      assert.equal(goaways, 0);
      assert.equal(session.closed, false);
      session.close();
    });
  }
});

describe('a server that drains', () => {
  it('fails no call under load: what it took it answers, the rest goes to its successor', async () => {
    const [first, second] = [await startKiamServer(), await startKiamServer()];
    cleanups.push(
      () => first.server.close(),
      () => second.server.close(),
    );
    for (const { table } of [first, second]) table.upsert(makeView({ name: 'web' }));
    // As kiam's agents dial: all addresses of the headless service.
    const client = new kiam.KiamServiceClient(
      `ipv4:127.0.0.1:${first.port},127.0.0.1:${second.port}`,
      credentials.createInsecure(),
      { 'grpc.enable_http_proxy': 0 },
    );
    cleanups.push(() => client.close());

    const outcomes: UnaryOutcome<kiam.Role>[] = [];
    let stop = false;
    async function load(): Promise<void> {
      while (!stop) {
        outcomes.push(
          await unaryCall<kiam.Role>((done) => client.getPodRole({ ip: '10.0.0.1' }, done), never),
        );
      }
    }
    const loads = Array.from({ length: 32 }, load);
    await until('the load is on', () => outcomes.length > 500);
    const before = outcomes.length;
    assert.equal(await first.server.drain(5_000), true);
    await until('the load goes on', () => outcomes.length > before + 500);
    stop = true;
    await Promise.all(loads);
    assert.deepEqual(
      outcomes.filter(({ kind }) => kind === 'failed'),
      [],
    );
  });

  it('lets a call that waits come to its end', async () => {
    const { server, port, table, clock } = await startKiamServer();
    cleanups.push(() => server.close());
    const client = new kiam.KiamServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
    cleanups.push(() => client.close());
    const call = unaryCall<kiam.Role>((done) => client.getPodRole({ ip: '10.0.0.1' }, done), never);
    await until('the call waits', () => clock.pending === 1);
    const draining = server.drain(5_000);
    table.upsert(makeView({ name: 'web' }));
    assert.deepEqual(await call, { kind: 'answered', response: { name: 'reader' } });
    assert.equal(await draining, true);
  });

  it('cuts off what has not ended in time', async () => {
    const { server, port, clock } = await startKiamServer({ waitMillis: 60_000 });
    const client = new kiam.KiamServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
    cleanups.push(() => client.close());
    const call = unaryCall<kiam.Role>((done) => client.getPodRole({ ip: '10.0.0.1' }, done), never);
    await until('the call waits', () => clock.pending === 1);
    const draining = server.drain(5_000);
    await clock.advance(5_000);
    assert.equal(await draining, false);
    assert.equal((await call).kind, 'failed');
    await until('the server does not wait any more', () => clock.pending === 0);
  });

  it('cuts everything off at once when it is closed', async () => {
    const { server, source, port } = await startBrokerServer();
    const agent = startAgent([port]);
    cleanups.push(() => agent.stop());
    await until('the agent streams', () => agent.sink.log.includes('synced'));
    server.close();
    // Well before the agent's next ping would find out.
    const start = performance.now();
    await until('the agent notices', () => agent.feed.status.kind === 'connecting');
    assert.ok(performance.now() - start < 5_000);
    assert.equal(source.watching.length, 0);
  });

  it('ends the streams of agents, which go to its successor and keep what they hold', async () => {
    const [first, second] = [await startBrokerServer(), await startBrokerServer()];
    cleanups.push(() => second.server.close());
    for (const { source } of [first, second]) source.set(makeView({ name: 'web' }));
    const agent = startAgent([first.port, second.port]);
    cleanups.push(() => agent.stop());
    await until('the agent streams', () => agent.sink.log.includes('synced'));
    assert.equal(await first.server.drain(5_000), true);
    await until('the agent streams from the other', () => second.source.watching.length === 1, agent.clock);
    assert.ok(!agent.sink.log.includes('-uid-web'));
  });
});

describe('a connection of some age', () => {
  it('takes no new calls, which go over a new one; the stream goes on until the grace is over', async () => {
    const { server, source, port } = await startBrokerServer({
      connections: { maxAge: 100, maxAgeGrace: 100 },
    });
    cleanups.push(() => server.close());
    source.set(makeView({ name: 'web' }));
    const agent = startAgent([port]);
    cleanups.push(() => agent.stop());
    const syncs = () => agent.sink.log.filter((line) => line === 'synced').length;
    await until('the agent has been through three connections', () => syncs() >= 3, agent.clock);
    assert.ok(!agent.sink.log.includes('-uid-web'), 'the pod was held all the time');
  });
});
