import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PodpassError } from '../base/errors.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createMetadataServer, type MetadataServerOptions } from './metadata-server.ts';
import { createTokenSigner } from './session-token.ts';
import { openDoor, requestText, treePath } from './testing/door.ts';
import { createFakeBroker, credentialsAnswer } from './testing/fake-broker.ts';
import { connectRaw } from './testing/raw-client.ts';

const loopback = '127.0.0.1';
const credentialsPath = `${treePath}/reader`;

/** A server without a door around it, for what concerns listening. */
function newServer(options: Partial<MetadataServerOptions> = {}) {
  const clock = createFakeClock();
  const broker = createFakeBroker(clock);
  const server = createMetadataServer({
    broker,
    tokenSigner: createTokenSigner({ keys: [new Uint8Array(32)], clock }),
    proxy: { upstream: 'http://127.0.0.1:9' },
    health: () => ({ ok: true, checks: [] }),
    liveness: () => ({ ok: true, checks: [] }),
    metrics: createMetrics(),
    logger: createSilentLogger(),
    clock,
    ...options,
  });
  return { clock, broker, server };
}

describe('listening', () => {
  it('knows its address', async (t) => {
    const { server } = newServer();
    t.after(() => server.close(0));
    assert.equal(server.address, undefined);
    const address = await server.listen({ host: loopback, port: 0 });
    assert.equal(address.address, loopback);
    assert.deepEqual(server.address, address);
  });

  it('says which address it cannot have', async (t) => {
    const other = createServer().listen(0, loopback);
    await once(other, 'listening');
    t.after(() => other.close());
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { server } = newServer();
    await assert.rejects(
      server.listen({ host: loopback, port }),
      (error) =>
        error instanceof PodpassError && error.code === 'ERR_LISTEN' && error.message.includes(`:${port}`),
    );
  });

  it('lets the next process listen before this one stops', async (t) => {
    const [one, two] = [newServer(), newServer()];
    t.after(() => Promise.all([one.server.close(0), two.server.close(0)]));
    const { port } = await one.server.listen({ host: loopback, port: 0, reusePort: true });
    await two.server.listen({ host: loopback, port, reusePort: true });
    await one.server.close(0);
    const client = connectRaw({ port });
    client.send(requestText('GET', '/ping'));
    assert.equal((await client.receive()).body, 'pong');
    client.close();
  });

  it('knows IPv4 callers over a dual-stack socket by their IPv4 address', async (t) => {
    const { server, broker, clock } = newServer();
    t.after(() => server.close(0));
    const { port, family } = await server.listen({ port: 0 });
    if (family !== 'IPv6') return t.skip('this machine has no IPv6');
    broker.set(loopback, credentialsAnswer(clock));
    broker.set('::1', credentialsAnswer(clock));
    for (const host of [loopback, '::1']) {
      const client = connectRaw({ port, host });
      client.send(requestText('GET', treePath));
      assert.equal((await client.receive()).body, 'reader', host);
      client.close();
    }
    assert.deepEqual(
      broker.calls.map(({ address }) => address),
      [loopback, '::1'],
    );
  });
});

describe('what is not a request', () => {
  const garbage: [string, string, number][] = [
    ['noise', '\u0000\u0001\u0002\r\n\r\n', 400],
    ['another protocol', 'EHLO pod\r\n', 400],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001', 400],
    ['a header without a name', 'GET /ping HTTP/1.1\r\n: x\r\n\r\n', 400],
    ['a header with a space before the colon', 'GET /ping HTTP/1.1\r\nHost : x\r\n\r\n', 400],
    ['a header over two lines', 'GET /ping HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', 400],
    ['two lengths', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['a length that is none', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', 400],
    [
      'a length and chunks',
      'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['an unknown coding', 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n', 413],
    ['a version that is none', 'GET /ping HTTP/9.9\r\nHost: a\r\n\r\n', 400],
    ['no version', 'GET /latest\r\n\r\n', 400],
    ['no version, and a Host', 'GET /ping\r\nHost: 169.254.169.254\r\n\r\n', 400],
    [
      'no version, and chunks',
      'GET /ping\r\nHost: 169.254.169.254\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['HTTP/0.9', 'GET /ping HTTP/0.9\r\nHost: 169.254.169.254\r\n\r\n', 400],
    ['HTTP/2.0, which needs no Host', 'GET /ping HTTP/2.0\r\n\r\n', 400],
    ['a control character in the target', 'GET /pi\u0001ng HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a request line that is too long', `GET /${'a'.repeat(10_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    ['a header that is too long', `GET /ping HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(10_000)}\r\n\r\n`, 431],
    [
      'a chunk extension that is too long',
      `PUT /ping HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;${'a'.repeat(20_000)}`,
      413,
    ],
  ];
  for (const [name, bytes, status] of garbage) {
    it(`answers ${status} to ${name}, and closes`, async (t) => {
      const door = await openDoor(t);
      const client = door.connect();
      client.send(bytes);
      const statuses: number[] = [];
      do {
        const answer = await client.receive();
        statuses.push(answer.status);
        if (answer.status !== status) continue;
        assert.equal(answer.headers.connection, 'close');
        assert.equal(answer.headers.server, 'EC2ws');
      } while (statuses.at(-1) !== status);
      await client.closed;
    });
  }

  it('never keeps the door from answering others, whatever it is', async (t) => {
    const door = await openDoor(t);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 200 }), async (bytes) => {
        const client = door.connect();
        client.send(`${bytes}\r\n\r\n`);
        assert.equal((await door.get('/ping')).body, 'pong');
        client.close();
      }),
      { numRuns: 100 },
    );
  });

  it('does not write into the answer to a request before it', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    client.send(requestText('GET', credentialsPath));
    await door.broker.untilWaiting(1);
    client.send('noise\r\n\r\n');
    assert.equal(await client.closed, '');
    await door.broker.untilWaiting(0);
  });
});

describe('limits', () => {
  // The clock of Node's HTTP server cannot be passed in, so these limits are real, and small.
  it('gives a request up that takes too long to arrive', async (t) => {
    const door = await openDoor(t, { limits: { requestMillis: 40, checkMillis: 5 } });
    const client = door.connect();
    client.send('GET /ping HTTP/1.1\r\nHost: a');
    const answer = await client.receive();
    assert.equal(answer.status, 408);
    assert.equal(answer.headers.connection, 'close');
    await client.closed;
  });

  it('gives a connection up on which nothing ever comes', async (t) => {
    const door = await openDoor(t, { limits: { requestMillis: 40, checkMillis: 5 } });
    assert.match(await door.connect().closed, /^HTTP\/1\.1 408/);
  });

  it('gives a body up that takes too long to arrive', async (t) => {
    const door = await openDoor(t, { limits: { requestMillis: 40, checkMillis: 5 } });
    const client = door.connect();
    client.send(requestText('PUT', '/ping', { 'Content-Length': '5' }));
    assert.equal((await client.receive()).body, 'pong');
    await client.closed;
  });

  it('closes an idle connection', async (t) => {
    const door = await openDoor(t, { limits: { idleMillis: 1_001 } });
    const client = door.connect();
    client.send(requestText('GET', '/ping'));
    assert.equal((await client.receive()).headers['keep-alive'], 'timeout=1');
    client.close();
  });

  it('takes so many connections from one address and no more', async (t) => {
    const door = await openDoor(t, { limits: { connectionsPerAddress: 2 } });
    const ping = async (from: string) => {
      const client = door.connect({ from });
      client.send(requestText('GET', '/ping'));
      await client.receive();
      return client;
    };
    const first = await ping('127.0.0.2');
    const second = await ping('127.0.0.2');
    assert.equal(await door.connect({ from: '127.0.0.2' }).closed, '');
    // Another pod does not suffer.
    (await ping('127.0.0.3')).close();
    const text = await door.metrics.registry.metrics();
    assert.match(text, /podpass_metadata_connections_refused_total\{limit="address"\} 1\n/);
    first.close();
    second.close();
  });

  it('takes one again when another has ended', async (t) => {
    const door = await openDoor(t, { limits: { connectionsPerAddress: 1 } });
    for (let i = 0; i < 3; i += 1) {
      const client = door.connect();
      client.send(requestText('GET', '/ping', { Connection: 'close' }));
      assert.equal((await client.receive()).body, 'pong');
      await client.closed;
    }
  });

  it('takes so many connections in all and no more', async (t) => {
    const door = await openDoor(t, { limits: { connections: 2 } });
    const clients = ['127.0.0.2', '127.0.0.3'].map((from) => door.connect({ from }));
    for (const client of clients) {
      client.send(requestText('GET', '/ping'));
      await client.receive();
    }
    assert.equal(await door.connect({ from: '127.0.0.4' }).closed, '');
    const text = await door.metrics.registry.metrics();
    assert.match(text, /podpass_metadata_connections 2\n/);
    assert.match(text, /podpass_metadata_connections_refused_total\{limit="total"\} 1\n/);
    for (const client of clients) client.close();
  });
});

describe('closing', () => {
  it('resolves at once when nothing is open', async () => {
    const { server, clock } = newServer();
    await server.listen({ host: loopback, port: 0 });
    await server.close(10_000);
    assert.equal(clock.pending, 0);
  });

  it('resolves at once when it never listened, and is final', async () => {
    const { server } = newServer();
    await server.close(10_000);
    await assert.rejects(
      server.listen({ host: loopback, port: 0 }),
      (error) => error instanceof PodpassError && error.code === 'ERR_LISTEN',
    );
    assert.equal(server.address, undefined);
  });

  it('stops accepting, and finishes what is under way', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    client.send(requestText('GET', credentialsPath));
    await door.broker.untilWaiting(1);
    const closed = door.server.close(10_000);
    // Those who come in this turn still find it open.
    while (door.server.address !== undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await door.connect().closed, '');
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const answer = await client.receive();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.connection, 'close');
    await client.closed;
    await closed;
    assert.equal(door.clock.pending, 0);
  });

  it('answers those who have connected and were not accepted yet', async (t) => {
    const door = await openDoor(t);
    const clients = Array.from({ length: 40 }, () => door.connect());
    for (const client of clients) client.send(requestText('GET', '/ping'));
    // The kernel has made the connections by then, and the event loop has not come round to any.
    await new Promise((resolve) => process.nextTick(resolve));
    const closed = door.server.close(1_000);
    for (const client of clients) assert.equal((await client.receive()).body, 'pong');
    await closed;
  });

  it('still answers a request that was on its way, on a connection that was idle', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    client.send(requestText('GET', '/ping'));
    await client.receive();
    const closed = door.server.close(10_000);
    client.send(requestText('GET', '/ping'));
    assert.equal((await client.receive()).headers.connection, 'close');
    await client.closed;
    await closed;
  });

  it('closes idle connections a little later', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    client.send(requestText('GET', '/ping'));
    await client.receive();
    const closed = door.server.close(10_000);
    await door.clock.advance(249);
    assert.equal(door.clock.pending, 2);
    await door.clock.advance(1);
    await client.closed;
    await closed;
  });

  it('gives who has just connected as long to ask as it is told', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    const closed = door.server.close(20_000, 2_000);
    while (door.server.address !== undefined) await new Promise((resolve) => setImmediate(resolve));
    await door.clock.advance(1_999);
    client.send(requestText('GET', '/ping'));
    assert.equal((await client.receive()).body, 'pong');
    await closed;
  });

  it('reads what has come meanwhile before it closes idle connections', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    client.send(requestText('GET', '/ping'));
    await client.receive();
    const closed = door.server.close(10_000);
    while (door.server.address !== undefined) await new Promise((resolve) => setImmediate(resolve));
    // The timer is due in the same turn of the event loop, before anything is read.
    setImmediate(() => client.send(requestText('GET', '/ping')));
    await door.clock.advance(250);
    assert.equal((await client.receive()).headers.connection, 'close');
    await closed;
  });

  it('ends what is left when the time is up', async (t) => {
    const door = await openDoor(t, { podWaitMillis: 60_000 });
    const client = door.connect();
    client.send(requestText('GET', credentialsPath));
    await door.broker.untilWaiting(1);
    const closed = door.server.close(5_000);
    await door.clock.advance(5_000);
    assert.equal(await client.closed, '');
    await closed;
    await door.broker.untilWaiting(0);
    assert.equal(door.clock.pending, 0);
  });

  it('may be called twice', async (t) => {
    const door = await openDoor(t);
    await Promise.all([door.server.close(0), door.server.close(10_000)]);
  });
});
