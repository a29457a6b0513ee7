import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { type Fault, type FaultProxy, startFaultProxy, type Target, targetOf } from './fault-proxy.ts';

const podAddress = '127.95.0.7';
const tree = '/latest/meta-data/iam/security-credentials/';
const credentials = { Code: 'Success', AccessKeyId: 'ASIAEXAMPLE', Expiration: '2026-01-01T00:00:00Z' };

interface Upstream {
  readonly proxy: FaultProxy;
  /** What came through: `PUT /latest/api/token from 127.95.0.7`. */
  readonly requests: string[];
  readonly tokens: (string | undefined)[];
}

type Answer = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

const asPodpass: Answer = ({ method, url }, outgoing) => {
  if (method === 'PUT') outgoing.writeHead(200, { 'X-Ttl': '60' }).end('token-1');
  else if (url === `${tree}reader`) outgoing.end(JSON.stringify(credentials));
  else outgoing.writeHead(url === tree ? 200 : 404, 'Fine By Me').end('reader');
};

async function start(t: TestContext, answer: Answer = asPodpass): Promise<Upstream> {
  const requests: string[] = [];
  const tokens: (string | undefined)[] = [];
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url} from ${incoming.socket.remoteAddress}`);
    tokens.push(incoming.headers['x-aws-ec2-metadata-token']?.toString());
    answer(incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const scope = { signal: t.signal, after: (stop: () => Promise<void>) => t.after(stop) };
  return { proxy: await startFaultProxy(scope, { podAddress, upstreamPort: port }), requests, tokens };
}

interface Got {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask(
  proxy: FaultProxy,
  path: string,
  options: { method?: string; token?: string; bound?: number } = {},
) {
  const { method = 'GET', token, bound = 5_000 } = options;
  const headers = token === undefined ? {} : { 'X-aws-ec2-metadata-token': token };
  return new Promise<Got>((resolve, reject) => {
    const signal = AbortSignal.timeout(bound);
    const sent = request(proxy.url + path, { method, headers, agent: false, signal }, (response) => {
      response.toArray().then((chunks) => {
        const { statusCode: status, statusMessage: reason } = response;
        resolve({ status, reason, headers: response.headers, body: Buffer.concat(chunks).toString() });
      }, reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}

const put = (proxy: FaultProxy) => ask(proxy, '/latest/api/token', { method: 'PUT' });

describe('what a request is for', () => {
  const cases: readonly (readonly [method: string, path: string, target: Target])[] = [
    ['PUT', '/latest/api/token', 'token'],
    ['GET', '/latest/api/token', 'other'],
    ['GET', '/latest/meta-data/iam/security-credentials', 'list'],
    ['GET', tree, 'list'],
    ['HEAD', `${tree}reader`, 'credentials'],
    ['GET', '/latest/meta-data/iam/security-credentials-extended/', 'other'],
    ['GET', '/latest/meta-data/placement/region', 'other'],
  ];
  for (const [method, path, target] of cases)
    it(`${method} ${path}: ${target}`, () => assert.equal(targetOf(method, path), target));
});

describe('the fault proxy', () => {
  it('passes requests from the pod’s address, and answers as they are', async (t) => {
    const { proxy, requests, tokens } = await start(t);
    const { status, reason, body } = await ask(proxy, tree, { token: 'mine' });
    assert.deepEqual([status, reason, body], [200, 'Fine By Me', 'reader']);
    assert.deepEqual(requests, [`GET ${tree} from ${podAddress}`]);
    assert.deepEqual(tokens, ['mine']);
    assert.deepEqual(proxy.seen, [{ target: 'list', withToken: true, status: 200 }]);
  });

  it('answers in the place of what is behind it', async (t) => {
    const { proxy, requests } = await start(t);
    proxy.faults.set('token', { kind: 'answer', status: 403 });
    assert.equal((await put(proxy)).status, 403);
    assert.deepEqual(requests, []);
    proxy.faults.clear();
    assert.equal((await put(proxy)).body, 'token-1');
  });

  const broken: readonly (readonly [fault: Fault, said: RegExp])[] = [
    [{ kind: 'silence' }, /abort/i],
    [{ kind: 'reset' }, /ECONNRESET|socket hang up/],
  ];
  for (const [fault, said] of broken)
    it(`leaves requests without an answer: ${fault.kind}`, async (t) => {
      const { proxy, requests } = await start(t);
      proxy.faults.set('list', fault);
      await assert.rejects(ask(proxy, tree, { bound: 300 }), said);
      assert.deepEqual(requests, []);
      assert.deepEqual(proxy.seen, [{ target: 'list', withToken: false }]);
    });

  it('passes requests on later', async (t) => {
    const { proxy } = await start(t);
    proxy.faults.set('list', { kind: 'delay', millis: 120 });
    const began = performance.now();
    assert.equal((await ask(proxy, tree)).status, 200);
    assert.ok(performance.now() - began >= 100);
  });

  it('takes a header away', async (t) => {
    const { proxy } = await start(t);
    assert.equal((await put(proxy)).headers['x-ttl'], '60');
    proxy.faults.set('token', { kind: 'without-header', name: 'x-ttl' });
    const { status, headers, body } = await put(proxy);
    assert.deepEqual([status, headers['x-ttl'], body], [200, undefined, 'token-1']);
  });

  it('refuses what has no session token, and only that', async (t) => {
    const { proxy } = await start(t);
    proxy.faults.set('list', { kind: 'tokenless', status: 403 });
    assert.equal((await ask(proxy, tree)).status, 403);
    assert.equal((await ask(proxy, tree, { token: 'mine' })).status, 200);
  });

  it('spoils the session tokens that were given before, and only those', async (t) => {
    const { proxy, tokens } = await start(t);
    await put(proxy);
    proxy.age();
    proxy.faults.set('list', { kind: 'stale-tokens' });
    await ask(proxy, tree, { token: 'token-1' });
    await ask(proxy, tree, { token: 'another' });
    assert.notEqual(tokens[1], 'token-1');
    assert.equal(tokens[1]?.length, 'token-1'.length);
    assert.equal(tokens[2], 'another');
  });

  it('moves the end of credentials, and nothing else in them', async (t) => {
    const { proxy } = await start(t);
    proxy.faults.set('credentials', { kind: 'expiry', seconds: 600 });
    const { headers, body } = await ask(proxy, `${tree}reader`);
    assert.equal(headers['content-length'] ?? `${body.length}`, `${body.length}`);
    const got = JSON.parse(body);
    assert.match(got.Expiration, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Math.abs(Date.parse(got.Expiration) - Date.now() - 600_000) < 5_000);
    assert.deepEqual({ ...got, Expiration: credentials.Expiration }, credentials);
  });

  it('leaves a refusal as it is where it would move the end of credentials', async (t) => {
    const { proxy } = await start(t, (_, outgoing) => void outgoing.writeHead(403).end('{"Code":"No"}'));
    proxy.faults.set('credentials', { kind: 'expiry', seconds: 600 });
    assert.equal((await ask(proxy, `${tree}reader`)).body, '{"Code":"No"}');
  });

  it('waits for whoever wants to know of a request', async (t) => {
    const { proxy, requests } = await start(t);
    const told: Target[] = [];
    proxy.onRequest = async (target) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(requests, []);
      told.push(target);
    };
    await put(proxy);
    assert.deepEqual(told, ['token']);
  });

  it('resets the client where nobody is behind it', async (t) => {
    const { proxy } = await start(t);
    proxy.upstreamPort = 9;
    await assert.rejects(ask(proxy, tree), /ECONNRESET|socket hang up/);
  });
});
