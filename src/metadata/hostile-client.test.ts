import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Door, openDoor, requestText, treePath } from './testing/door.ts';
import { credentialsAnswer } from './testing/fake-broker.ts';
import { until } from './testing/fake-upstream.ts';
import type { RawClient } from './testing/raw-client.ts';

const bad = '127.0.0.2';
const good = '127.0.0.3';
const host = 'Host: 169.254.169.254\r\n';
/** A request that stands where only a body may be, or where the one before has to be refused. */
const hidden = requestText('GET', `${treePath}/reader`);

/** Whatever the bad pod does, the good one has its credentials. */
async function checkOther(door: Door): Promise<void> {
  door.broker.set(good, credentialsAnswer(door.clock));
  const answer = await door.get(`${treePath}/reader`, { from: good });
  assert.equal(answer.status, 200);
}

function statuses(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status = '']) => status);
}

describe('a request whose end can be read in two ways', () => {
  const put = 'PUT /ping HTTP/1.1\r\n';
  const chunked = 'Transfer-Encoding: chunked\r\n';
  const ambiguous: [string, string, string[]][] = [
    ['lines that end in LF alone', `GET /ping HTTP/1.1\n${host.trim()}\n\n${hidden}`, ['400']],
    [
      'one line that ends in LF alone',
      `GET /ping HTTP/1.1\r\n${host.trim()}\nX: y\r\n\r\n${hidden}`,
      ['400'],
    ],
    ['a CR within a header', `GET /ping HTTP/1.1\r\n${host.trim()}\rX: y\r\n\r\n${hidden}`, ['400']],
    ['a NUL within a header', `GET /ping HTTP/1.1\r\n${host}X: a\0b\r\n\r\n${hidden}`, ['400']],
    ['a length and chunks', `${put}${host}Content-Length: 4\r\n${chunked}\r\n0\r\n\r\n${hidden}`, ['400']],
    ['chunks and a length', `${put}${host}${chunked}Content-Length: 4\r\n\r\n0\r\n\r\n${hidden}`, ['400']],
    ['two codings', `${put}${host}${chunked}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n${hidden}`, ['400']],
    [
      'chunks that are not last',
      `${put}${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
      ['400'],
    ],
    [
      'a coding around chunks',
      `${put}${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${hidden}`,
      ['413'],
    ],
    [
      'a coding that is nearly chunks',
      `${put}${host}Transfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n${hidden}`,
      ['400'],
    ],
    [
      'a coding over two lines',
      `${put}${host}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${hidden}`,
      ['400'],
    ],
    [
      'chunks in HTTP/1.0',
      `PUT /ping HTTP/1.0\r\n${host}Connection: keep-alive\r\n${chunked}\r\n0\r\n\r\n${hidden}`,
      ['400'],
    ],
    [
      'the same length twice',
      `${put}${host}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${hidden}`,
      ['400'],
    ],
    ['a list of lengths', `${put}${host}Content-Length: 0, 0\r\n\r\n${hidden}`, ['400']],
    ['a length with a sign', `${put}${host}Content-Length: +0\r\n\r\n${hidden}`, ['400']],
    ['a length in hexadecimal', `${put}${host}Content-Length: 0x0\r\n\r\n${hidden}`, ['400']],
    [
      'a length beyond all numbers',
      `${put}${host}Content-Length: 99999999999999999999\r\n\r\n${hidden}`,
      ['400'],
    ],
    ['a space before the colon', `${put}${host}Content-Length : 0\r\n\r\n${hidden}`, ['400']],
    // The first request is answered from its head; what follows it is not read as another one.
    ['a chunk size with a prefix', `${put}${host}${chunked}\r\n0x0\r\n\r\n${hidden}`, ['200', '400']],
    ['chunk lines that end in LF alone', `${put}${host}${chunked}\r\n0\n\n${hidden}`, ['200', '400']],
    [
      'a chunk size beyond all numbers',
      `${put}${host}${chunked}\r\nfffffffffffffffff\r\n\r\n${hidden}`,
      ['200', '400'],
    ],
    ['the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`, ['400']],
  ];
  for (const [name, bytes, expected] of ambiguous) {
    it(`is refused, with all that follows on its connection: ${name}`, async (t) => {
      const door = await openDoor(t);
      door.broker.set(bad, credentialsAnswer(door.clock));
      const client = door.connect({ from: bad });
      client.send(bytes);
      const text = await client.closed;
      assert.deepEqual(statuses(text), expected);
      assert.doesNotMatch(text, /SecretAccessKey/);
      await checkOther(door);
    });
  }

  it('is one request where it is clear: a body is not read as a request', async (t) => {
    const door = await openDoor(t);
    const client = door.connect({ from: bad });
    client.send(
      `GET /ping HTTP/1.1\r\n${host}Connection: close\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
    );
    assert.deepEqual(statuses(await client.closed), ['200']);
  });
});

describe('a connection that is half closed', () => {
  it('is answered what can be answered at once', async (t) => {
    const door = await openDoor(t);
    door.broker.set(bad, credentialsAnswer(door.clock));
    const client = door.connect({ from: bad });
    client.send(requestText('GET', `${treePath}/reader`));
    client.end();
    assert.deepEqual(statuses(await client.closed), ['200']);
  });

  // As kiam's server does: nobody can tell a client that waits from one that has gone.
  it('is let go where it would have to wait, and leaves nothing behind', async (t) => {
    const door = await openDoor(t);
    const client = door.connect({ from: bad });
    client.send(requestText('GET', `${treePath}/reader`));
    client.end();
    assert.equal(await client.closed, '');
    await until(() => door.broker.waiting === 0 && door.clock.pending === 0);
    await checkOther(door);
  });

  it('is let go when it ends within a request', async (t) => {
    const door = await openDoor(t);
    const client = door.connect({ from: bad });
    client.send('GET /ping HTTP/1.1\r\nHost: a');
    client.end();
    assert.deepEqual(statuses(await client.closed), ['400']);
  });
});

describe('a client that sends and does not read', () => {
  it('is let go when nothing moves any more, however much was answered', async (t) => {
    const door = await openDoor(t, { limits: { stallMillis: 50 }, podWaitMillis: 1 });
    door.broker.set(bad, credentialsAnswer(door.clock));
    const client = door.connect({ from: bad });
    client.send(requestText('GET', '/ping'));
    await client.begun;
    client.pause();
    // The kernel takes some megabytes of answers before one has to wait.
    const open = async () => !/podpass_metadata_connections 0\n/.test(await door.metrics.registry.metrics());
    while (await open()) {
      client.send(hidden.repeat(2));
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.close();
    await checkOther(door);
  });

  it('is cut off when it sends in bulk, before its answers are held', async (t) => {
    const door = await openDoor(t);
    door.broker.set(bad, credentialsAnswer(door.clock));
    const client = door.connect({ from: bad });
    client.send(hidden.repeat(400));
    await client.closed;
    const text = await door.metrics.registry.metrics();
    const answered = Number(/responses_total\{handler="credentials",code="200"\} (\d+)/.exec(text)?.[1]);
    // What is left of them may come in a second read.
    assert.ok(answered <= 16, String(answered));
    await checkOther(door);
  });

  it('is let go when its request would wait for longer than anything does', async (t) => {
    const door = await openDoor(t, { limits: { stallMillis: 50 }, podWaitMillis: 1 });
    const client = door.connect({ from: bad });
    client.send(hidden);
    // The broker's clock stands still, so this request would wait for ever.
    assert.equal(await client.closed, '');
    await until(() => door.broker.waiting === 0);
  });
});

describe('pods that take all connections', () => {
  it('give way to one that has none', async (t) => {
    const door = await openDoor(t, { limits: { connections: 6, connectionsPerAddress: 3 } });
    const open: RawClient[] = [];
    for (const from of [bad, '127.0.0.4', bad, '127.0.0.4', bad, '127.0.0.4']) {
      const client = door.connect({ from });
      client.send(requestText('GET', '/ping'));
      await client.receive();
      open.push(client);
    }
    await checkOther(door);
    const text = await door.metrics.registry.metrics();
    assert.match(text, /connections_refused_total\{limit="share"\} 1\n/);
    // The oldest of one of them went.
    assert.equal(await open[0]?.closed, '');
    for (const client of open) client.close();
  });

  it('do not take from each other for ever: who has as many is refused', async (t) => {
    const door = await openDoor(t, { limits: { connections: 4, connectionsPerAddress: 3 } });
    const open: RawClient[] = [];
    for (const from of [bad, bad, good, good]) {
      const client = door.connect({ from });
      client.send(requestText('GET', '/ping'));
      await client.receive();
      open.push(client);
    }
    assert.equal(await door.connect({ from: good }).closed, '');
    assert.match(await door.metrics.registry.metrics(), /connections_refused_total\{limit="total"\} 1\n/);
    for (const client of open) client.close();
  });
});

describe('slow senders', () => {
  const slow: [string, string][] = [
    ['of the request line', 'GET /pi'],
    ['of headers', `GET /ping HTTP/1.1\r\n${host}X`],
    ['of a body', `PUT /ping HTTP/1.1\r\n${host}Content-Length: 100\r\n\r\nx`],
    ['of chunks', `PUT /ping HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nx`],
    ['of nothing', ''],
  ];
  for (const [what, begin] of slow) {
    it(`${what} are cut off, and others are answered meanwhile`, async (t) => {
      const door = await openDoor(t, { limits: { requestMillis: 100, checkMillis: 10 } });
      const clients = Array.from({ length: 50 }, () => door.connect({ from: bad }));
      for (const client of clients) client.send(begin);
      await checkOther(door);
      for (const client of clients) await client.closed;
      await until(() => true);
      assert.match(await door.metrics.registry.metrics(), /podpass_metadata_connections [01]\n/);
    });
  }
});
