import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { makeView } from '../broker/testing/objects.ts';
import * as podpass from './gen/podpass.ts';
import { anyServer, startBrokerServer, type TestServer, until } from './testing/harness.ts';

const findPod = '/podpass.v1.Broker/FindPod';
const watchNode = '/podpass.v1.Broker/WatchNode';
const request = Buffer.from(
  podpass.FindPodRequest.encode({
    node: { nodeName: 'node-1', hostIp: '' },
    address: '10.0.0.1',
    waitMillis: 0,
  }).finish(),
);

/** A message as gRPC frames it, or as it must not be framed. */
function framed(body: Uint8Array, { flag = 0, length = body.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, body]);
}

let server: TestServer;
before(async () => {
  server = await startBrokerServer();
  server.source.set(makeView({ name: 'web' }));
});
after(() => server.server.close());

function open(): ClientHttp2Session {
  return connect(`http://127.0.0.1:${server.port}`).on('error', () => {});
}

/** Opens a call on a session, with these bytes for a message. */
function call(session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}) {
  return session
    .request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    .on('error', () => {});
}

/** What became of a call: gRPC's status, an HTTP status that is not 200, or `reset`. */
async function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, bytes: Uint8Array) {
  const stream = call(session, findPod, headers);
  const { promise, resolve } = Promise.withResolvers<number | string>();
  stream.on('response', (head) => {
    if (head[':status'] !== 200) resolve(`HTTP ${head[':status']}`);
    else if (head['grpc-status'] !== undefined) resolve(Number(head['grpc-status']));
  });
  stream.on('trailers', (trailers) => resolve(Number(trailers['grpc-status'])));
  stream.on('close', () => resolve('reset'));
  stream.resume().end(bytes);
  return promise;
}

/** Whatever an agent does, another one is served meanwhile. */
async function checkOther(): Promise<void> {
  const session = open();
  assert.equal(await ask(session, {}, framed(request)), status.OK);
  session.destroy();
}

describe('a message that is none', () => {
  const cases: [string, OutgoingHttpHeaders, Uint8Array, number | string][] = [
    ['nothing', {}, Buffer.alloc(0), status.UNIMPLEMENTED],
    ['bytes that are no message', {}, framed(Buffer.from([0xff, 0xff, 0xff])), status.INTERNAL],
    ['groups within groups', {}, framed(Buffer.alloc(60_000, 0x0b)), status.INTERNAL],
    ['a length beyond the end', {}, framed(request, { length: 60_000 }), status.UNIMPLEMENTED],
    ['more than 64 kB', {}, framed(Buffer.alloc(65_537)), status.RESOURCE_EXHAUSTED],
    ['four gigabytes, announced', {}, framed(request, { length: 0xffffffff }), status.RESOURCE_EXHAUSTED],
    [
      '50 MB, compressed',
      { 'grpc-encoding': 'gzip' },
      framed(gzipSync(Buffer.alloc(50_000_000)), { flag: 1 }),
      status.RESOURCE_EXHAUSTED,
    ],
    [
      'what cannot be decompressed',
      { 'grpc-encoding': 'gzip' },
      framed(request, { flag: 1 }),
      status.INTERNAL,
    ],
    ['an unknown compression', { 'grpc-encoding': 'br' }, framed(request, { flag: 1 }), status.UNIMPLEMENTED],
    ['two messages', {}, Buffer.concat([framed(request), framed(request)]), status.UNIMPLEMENTED],
    [
      'an unknown method',
      { ':path': '/podpass.v1.Broker/Everything' },
      framed(request),
      status.UNIMPLEMENTED,
    ],
    [
      'what every object inherits',
      { ':path': '/__proto__/constructor' },
      framed(request),
      status.UNIMPLEMENTED,
    ],
    ['another content type', { 'content-type': 'text/plain' }, framed(request), 'HTTP 415'],
    ['a time limit that is none', { 'grpc-timeout': '99999999999x' }, framed(request), status.INTERNAL],
    ['metadata of 600 kB', wide(100, 6_000), framed(request), 'reset'],
    ['a thousand metadata', wide(1_000, 1), framed(request), 'reset'],
  ];
  for (const [name, headers, bytes, expected] of cases) {
    it(`ends its call alone: ${name}`, async () => {
      const session = open();
      assert.equal(await ask(session, headers, bytes), expected);
      await checkOther();
      session.destroy();
    });
  }

  function wide(count: number, length: number): OutgoingHttpHeaders {
    return Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'y'.repeat(length)]));
  }
});

describe('an agent that asks too much', () => {
  it('has its connection closed when it opens and resets calls without end', async () => {
    const session = open();
    let closed = false;
    session.on('close', () => {
      closed = true;
    });
    let calls = 0;
    for (; calls < 20_000 && !session.destroyed && !session.closed; calls += 1) {
      call(session, findPod).close(8);
      if (calls % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until('the server closes the connection', () => closed);
    assert.ok(calls < 20_000);
    await checkOther();
  });

  it('has a few streams of its node and no more on one connection', async () => {
    const session = open();
    const message = framed(
      podpass.WatchNodeRequest.encode({ node: { nodeName: 'node-1', hostIp: '' }, ...anyServer }).finish(),
    );
    const statuses: number[] = [];
    const streams = Array.from({ length: 100 }, () => {
      const stream = call(session, watchNode);
      stream.on('response', (head) => statuses.push(Number(head['grpc-status'] ?? -1)));
      stream.resume().end(message);
      return stream;
    });
    await until('all have an answer', () => statuses.length === streams.length);
    assert.equal(statuses.filter((code) => code === status.RESOURCE_EXHAUSTED).length, 92);
    assert.equal(server.source.watching.length, 8);
    await checkOther();
    session.destroy();
    await until('the streams are forgotten', () => server.source.watching.length === 0);
    // And so is their number: an agent that comes back is served.
    const again = open();
    call(again, watchNode).resume().end(message);
    await until('there is a stream', () => server.source.watching.length === 1);
    again.destroy();
    await until('it is forgotten', () => server.source.watching.length === 0);
  });

  it('holds nobody up with calls that it never finishes sending', async () => {
    const session = open();
    for (let i = 0; i < 500; i += 1) call(session, findPod).write(Buffer.from([0, 0]));
    await checkOther();
    session.destroy();
  });

  it('is not waited for when it sends something else than HTTP/2', async () => {
    const { connect: connectTcp } = await import('node:net');
    const socket = connectTcp(server.port, '127.0.0.1').on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume().write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await closed;
    await checkOther();
  });
});
