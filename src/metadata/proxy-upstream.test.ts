import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { requestText } from './testing/door.ts';
import { openProxy, openRawProxy, until } from './testing/fake-upstream.ts';

const path = '/latest/user-data';
const ok = 'HTTP/1.1 200 OK\r\n';

describe('a metadata service that answers badly', () => {
  const answers: [string, string, RegExp][] = [
    ['noise', '\u0000\u0001\r\n\r\n', /not answer in HTTP/],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n', /not answer in HTTP/],
    ['nothing', '', /broke off/],
    ['half a head', `${ok}Content-Le`, /broke off/],
    ['a head that is too long', `${ok}X: ${'x'.repeat(9_000)}\r\n\r\n`, /HPE_HEADER_OVERFLOW/],
    ['thousands of headers', `${ok}${'X: y\r\n'.repeat(9_000)}\r\n`, /HPE_HEADER_OVERFLOW/],
    [
      'a length and chunks',
      `${ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
      /HTTP/,
    ],
    ['two lengths', `${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`, /HTTP/],
    ['a length that is none', `${ok}Content-Length: -1\r\n\r\nx`, /HTTP/],
    ['a chunk that is none', `${ok}Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n`, /HTTP|broke off/],
    ['chunks without an end', `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`, /broke off/],
    ['less than it said', `${ok}Content-Length: 3\r\n\r\nxx`, /broke off/],
    ['no length', `${ok}\r\nxx`, /where that ends/],
    ['another coding', `${ok}Transfer-Encoding: gzip\r\n\r\nxx`, /where that ends|HTTP/],
    ['a length above the bound', `${ok}Content-Length: 99999999\r\n\r\nxx`, /more than 1048576 bytes/],
    [
      'a change of protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      /answered 101/,
    ],
    [
      'a redirect',
      'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/latest/meta-data/iam/\r\nContent-Length: 0\r\n\r\n',
      /answered 302/,
    ],
    ['a demand for proxy credentials', 'HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n', /answered 407/],
    ['a status that is none', 'HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n', /answered 999/],
  ];
  for (const [name, bytes, problem] of answers) {
    it(`is a 502 that says so: ${name}`, async (t) => {
      const door = await openRawProxy(t, (socket) => socket.end(bytes, 'latin1'));
      const answer = await door.get(path);
      assert.equal(answer.status, 502);
      assert.match(answer.body, problem);
      assert.equal(answer.headers.location, undefined);
      assert.equal((await door.get('/ping')).body, 'pong');
      assert.equal(door.clock.pending, 0);
    });
  }

  it('is counted each time by its reason, and logged once a minute', async (t) => {
    const { upstream, door } = await openProxy(t, 'user-data');
    upstream.stop();
    for (let i = 0; i < 3; i += 1) assert.equal((await door.get(path)).status, 502);
    const lines = () => door.lines.filter(({ reason }) => reason === 'unreachable');
    assert.equal(lines().length, 1);
    const text = await door.metrics.registry.metrics();
    assert.match(text, /podpass_metadata_upstream_failures_total\{reason="unreachable"\} 3\n/);
    await door.clock.advance(60_000);
    await door.get(path);
    assert.equal(lines().length, 2);
    assert.equal(lines()[1]?.suppressed, 2);
  });

  it('has headers that are its own business kept here, and those of its body passed on', async (t) => {
    const head =
      'Content-Length: 1\r\nETag: "1"\r\nKeep-Alive: timeout=9\r\nSet-Cookie: a=b\r\nConnection: x-mine\r\nX-Mine: 1\r\nProxy-Authenticate: x\r\nTrailer: y\r\nLast-Modified: then\r\n';
    const door = await openRawProxy(t, (socket) => socket.end(`${ok}${head}\r\nx`));
    const { headers } = await door.get(path);
    assert.equal(headers.etag, '"1"');
    assert.equal(headers['last-modified'], 'then');
    for (const name of ['set-cookie', 'x-mine', 'proxy-authenticate', 'trailer']) {
      assert.equal(headers[name], undefined, name);
    }
    assert.notEqual(headers['keep-alive'], 'timeout=9');
  });
});

describe('a long answer', () => {
  const bounds = { wholeBytes: 1_000, maxBytes: 10_000_000 };
  const long = 'x'.repeat(1_000_000);

  it('is streamed with its length, where it has one', async (t) => {
    const { door } = await openProxy(t, '.*', {
      bounds,
      onRead: (_, response) => response.writeHead(200, { 'Content-Length': long.length }).end(long),
    });
    const answer = await door.get(path);
    assert.equal(answer.headers['content-length'], '1000000');
    assert.equal(answer.body, long);
    assert.equal(door.clock.pending, 0);
    assert.match(await door.metrics.registry.metrics(), /responses_total\{handler="proxy",code="200"\} 1\n/);
  });

  it('is streamed in chunks where it has none, and read whole for HTTP/1.0', async (t) => {
    const { door } = await openProxy(t, '.*', {
      bounds,
      onRead: (_, response) => {
        response.write(long.slice(1));
        response.end('y');
      },
    });
    const client = door.connect();
    client.send(requestText('GET', path, { Connection: 'close' }));
    const text = await client.closed;
    assert.match(text, /\r\ntransfer-encoding: chunked\r\n/i);
    assert.match(text, /y\r\n0\r\n\r\n$/);
    const old = door.connect();
    old.send(`GET ${path} HTTP/1.0\r\n\r\n`);
    assert.equal((await old.receive()).headers['content-length'], '1000000');
  });

  for (const [name, head] of [
    ['with a length', 'Content-Length: 5000\r\n\r\n'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n7d0\r\n'],
  ] as const) {
    it(`never looks whole when it breaks off, ${name}`, async (t) => {
      const door = await openRawProxy(
        t,
        (socket) => {
          socket.write(`${ok}${head}${'x'.repeat(2_000)}`);
          door.clock.setTimer(10, () => socket.destroy());
        },
        { bounds },
      );
      const client = door.connect();
      client.send(requestText('GET', path));
      await client.begun;
      await door.clock.advance(10);
      const text = await client.closed;
      assert.match(text, /^HTTP\/1\.1 200/);
      assert.doesNotMatch(text, /0\r\n\r\n$/);
      assert.ok(text.length < 4_000);
      assert.equal(door.clock.pending, 0);
      assert.match(await door.metrics.registry.metrics(), /failures_total\{reason="broken-off"\} 1\n/);
    });
  }

  it('is cut when it turns out to be longer than it may be', async (t) => {
    const { door } = await openProxy(t, '.*', {
      bounds: { ...bounds, maxBytes: 500_000 },
      onRead: (_, response) => {
        response.write(long);
        response.end();
      },
    });
    const client = door.connect();
    client.send(requestText('GET', path));
    assert.doesNotMatch(await client.closed, /0\r\n\r\n$/);
    assert.match(await door.metrics.registry.metrics(), /failures_total\{reason="too-long"\} 1\n/);
  });

  it('waits for a client that does not read, and is given up in time; others are answered meanwhile', async (t) => {
    const size = 64_000_000;
    let sent = 0;
    let ended = false;
    const { door } = await openProxy(t, '.*', {
      bounds: { ...bounds, maxBytes: size },
      onRead: (_, response) => {
        response.writeHead(200, { 'Content-Length': size });
        const more = () => {
          do sent += long.length;
          while (!response.destroyed && sent < size && response.write(long));
        };
        response.on('drain', more).on('close', () => {
          ended = true;
        });
        more();
      },
    });
    const client = door.connect();
    client.send(requestText('GET', path));
    await client.begun;
    client.pause();
    assert.equal((await door.get('/ping')).body, 'pong');
    for (let [still, before] = [0, sent]; still < 500; still = sent === before ? still + 1 : 0) {
      before = sent;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // However much the kernel took, it is not all of it, and we do not hold the rest.
    assert.ok(sent < size, String(sent));
    await door.clock.advance(3_000);
    await until(() => ended && door.clock.pending === 0);
    client.close();
  });

  it('ends upstream when its client goes away', async (t) => {
    const sockets: Socket[] = [];
    const { door } = await openProxy(t, '.*', {
      bounds,
      onRead: (request, response) => {
        sockets.push(request.socket);
        response.write('x'.repeat(5_000));
      },
    });
    const client = door.connect();
    client.send(requestText('GET', path));
    await client.begun;
    client.close();
    await until(() => sockets[0]?.destroyed === true && door.clock.pending === 0);
  });
});

describe('the places upstream', () => {
  it('are not all for one pod: another is answered while it waits for its own', async (t) => {
    const held: (() => void)[] = [];
    const { upstream, door } = await openProxy(t, '.*', {
      slots: { total: 3, each: 2 },
      onRead: ({ url }, response) => {
        if (url === path) held.push(() => response.end('late'));
        else response.end('ami-1');
      },
    });
    const greedy = Array.from({ length: 20 }, () => door.get(path, { from: '127.0.0.2' }));
    await until(() => door.clock.pending === 20);
    const other = await door.get('/latest/meta-data/ami-id', { from: '127.0.0.3' });
    assert.equal(other.body, 'ami-1');
    assert.equal(upstream.reads.filter((url) => url === path).length, 2);
    await door.clock.advance(3_000);
    const statuses = (await Promise.all(greedy)).map(({ status }) => status).sort();
    assert.deepEqual(statuses, [...Array(2).fill(502), ...Array(18).fill(503)]);
    assert.equal(door.clock.pending, 0);
    for (const end of held) end();
    // All came back.
    assert.equal((await door.get('/latest/meta-data/ami-id', { from: '127.0.0.2' })).status, 200);
  });
});
