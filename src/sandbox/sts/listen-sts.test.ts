import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { createSeededRandom } from '../../base/random.ts';
import { createSts } from './create-sts.ts';
import type { ListeningSts } from './listen-sts.ts';
import { readElements, signedCall, startSts } from './sts.fixture.ts';

const identity = { Action: 'GetCallerIdentity' };

describe('listenSts', () => {
  let listening: ListeningSts | undefined;
  afterEach(() => listening?.close());

  async function start() {
    const started = startSts();
    listening = await started.sts.listen('127.0.0.1', 0);
    return { ...started, url: listening.url };
  }

  it('answers over HTTP with the headers that SDKs read', async () => {
    const { url } = await start();
    const response = await fetch(url, { method: 'POST', body: new URLSearchParams(identity) });
    const { RequestId: id, Code: code } = readElements(await response.text());
    assert.equal(response.status, 403);
    assert.equal(code, 'MissingAuthenticationToken');
    assert.equal(response.headers.get('content-type'), 'text/xml');
    assert.equal(response.headers.get('x-amzn-requestid'), id);
  });

  it('verifies the host header that came over the wire', async () => {
    const { url, clock, credentials } = await start();
    const request = signedCall(identity, { credentials, at: clock.now() });
    const send = (host: string) => sendRaw(url, { ...request.headers, host }, request.body);
    assert.match(await send(request.headers.host ?? ''), /^HTTP\/1\.1 200 OK/);
    assert.match(await send('127.0.0.1:9'), /^HTTP\/1\.1 403 Forbidden[\s\S]*SignatureDoesNotMatch/);
  });

  it('takes a header that came twice as one', async () => {
    const { url, clock, credentials } = await start();
    const request = signedCall(identity, { credentials, at: clock.now() });
    const token = `${request.headers['x-amz-security-token']}\r\nx-amz-security-token: two`;
    const answer = await sendRaw(url, { ...request.headers, 'x-amz-security-token': token }, request.body);
    assert.match(answer, /InvalidClientTokenId/);
  });

  it('answers 413 to a body that cannot be a call', async () => {
    const { url } = await start();
    const answer = await sendRaw(url, { host: 'sts' }, Buffer.alloc(128 * 1024 + 1));
    assert.match(answer, /^HTTP\/1\.1 413 /);
  });

  it('breaks the connection when a fault says so', async () => {
    const { sts, url, clock, credentials } = await start();
    sts.faults.add({ kind: 'reset' });
    const request = signedCall(identity, { credentials, at: clock.now() });
    await assert.rejects(sendRaw(url, request.headers, request.body), { code: 'ECONNRESET' });
  });

  it('closes at once, though a call is being delayed', async () => {
    const { sts, url, clock, credentials } = await start();
    sts.faults.add({ kind: 'latency', millis: 60_000 });
    const request = signedCall(identity, { credentials, at: clock.now() });
    const answer = sendRaw(url, request.headers, request.body).catch((error: Error) => error);
    for (let turn = 0; clock.pending === 0 && turn < 100_000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(clock.pending, 1, 'the call is being delayed');
    await listening?.close();
    const got = await answer;
    assert.ok(got instanceof Error || got === '', 'the call is cut off');
    assert.equal(clock.pending, 0);
    await assert.rejects(fetch(url));
  });

  it('says which address is taken', async () => {
    const { url } = await start();
    const other = createSts({ clock: startSts().clock, random: createSeededRandom(1), roles: [] });
    await assert.rejects(other.listen('127.0.0.1', Number(new URL(url).port)), {
      code: 'ERR_LISTEN',
      message: /cannot listen on 127\.0\.0\.1:\d+ for the sandbox's STS/,
    });
  });
});

/** Sends a request as it is written here: no client changes its Host or headers. */
function sendRaw(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      answer += text;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
    const lines = Object.entries({ ...headers, 'content-length': String(body.length), connection: 'close' });
    socket.write(`POST / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    socket.write(body);
  });
}
