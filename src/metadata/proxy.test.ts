import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { compileAllowRoute } from './allow-route.ts';
import { type Door, openDoor, requestText, tokenHeader, tokenPath, treePath } from './testing/door.ts';
import { credentialsAnswer, fakeCaller } from './testing/fake-broker.ts';

/** A metadata service on loopback that remembers what it was asked. */
interface Upstream {
  readonly url: string;
  readonly requests: readonly Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>[];
  /** Requests for metadata, without those for tokens. */
  readonly reads: readonly string[];
  stop(): void;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

interface UpstreamOptions {
  readonly onToken?: Handler;
  readonly onRead?: Handler;
}

const ttlName = 'x-aws-ec2-metadata-token-ttl-seconds';

async function startUpstream(t: TestContext, options: UpstreamOptions = {}): Promise<Upstream> {
  const { onRead = (_, response) => response.end('ami-12345678') } = options;
  const { onToken = (_, response) => response.writeHead(200, { [ttlName]: '21600' }).end('upstream-token') } =
    options;
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    if (request.method === 'PUT') onToken(request, response);
    else onRead(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  t.after(stop);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get reads() {
      return requests.filter(({ method }) => method !== 'PUT').map(({ url }) => url ?? '');
    },
    stop,
  };
}

async function setUp(
  t: TestContext,
  allowRoute: string,
  options: UpstreamOptions & { readonly maxBytes?: number } = {},
) {
  const upstream = await startUpstream(t, options);
  const { maxBytes } = options;
  const compiled = await compileAllowRoute(allowRoute);
  const proxy = {
    allowRoute: compiled,
    upstream: upstream.url,
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
  const door: Door = await openDoor(t, { proxy });
  return { upstream, door };
}

const amiId = '/latest/meta-data/ami-id';

describe('compileAllowRoute', () => {
  const cases: [string, string, boolean][] = [
    // kiam's default, and what an empty flag means: nothing.
    ['^$', '/latest/meta-data/ami-id', false],
    ['', '/latest/meta-data/ami-id', false],
    ['', '/', false],
    // Found anywhere, as in kiam.
    ['placement', '/latest/meta-data/placement/region', true],
    ['/latest/meta-data/placement/', '/latest/meta-data/placement/region', true],
    ['^/latest/dynamic/instance-identity/document$', '/latest/dynamic/instance-identity/document', true],
    ['^/latest/dynamic/instance-identity/document$', '/latest/dynamic/instance-identity/document/', false],
    ['^placement', '/latest/meta-data/placement', false],
    // Of RE2's own syntax.
    ['(?i)PLACEMENT', '/latest/meta-data/placement', true],
    ['\\Aa|/x\\z', '/x', true],
  ];
  for (const [expression, path, allowed] of cases) {
    it(`${JSON.stringify(expression)} ${allowed ? 'allows' : 'does not allow'} ${path}`, async () => {
      assert.equal((await compileAllowRoute(expression)).allows(path), allowed);
    });
  }

  for (const expression of ['(', '(?=x)', '[z-a]', '(a)\\1', '*']) {
    it(`refuses ${expression} and says which flag is wrong`, async () => {
      await assert.rejects(
        compileAllowRoute(expression),
        (error) =>
          error instanceof PodpassError &&
          error.code === 'ERR_USAGE' &&
          error.message.includes('--allow-route-regexp'),
      );
    });
  }

  it('takes linear time over what makes others backtrack', async () => {
    const path = `/${'a'.repeat(2_000)}!`;
    assert.equal((await compileAllowRoute('^/(a+)+$')).allows(path), false);
  });
});

describe('the guarded proxy', () => {
  it('passes on what is allowed', async (t) => {
    const { upstream, door } = await setUp(t, 'ami-id', {
      onRead: (_, response) =>
        response
          .writeHead(200, {
            'Content-Type': 'text/x-ami',
            ETag: '"1"',
            'Last-Modified': 'then',
            'X-Other': 'x',
          })
          .end('ami-12345678'),
    });
    const answer = await door.get(amiId);
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'ami-12345678');
    assert.equal(answer.headers['content-type'], 'text/x-ami');
    assert.equal(answer.headers.etag, '"1"');
    assert.equal(answer.headers['last-modified'], 'then');
    assert.equal(answer.headers['x-other'], undefined);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers.server, 'EC2ws');
    assert.deepEqual(upstream.reads, [amiId]);
  });

  it('blocks everything by default, in the words of kiam, and counts it', async (t) => {
    const { upstream, door } = await setUp(t, '');
    const answer = await door.get(amiId);
    assert.equal(answer.status, 404);
    assert.equal(answer.body, `request blocked by allow-route-regexp "^$": ${amiId}\n`);
    assert.equal(upstream.requests.length, 0);
    assert.match(await door.metrics.registry.metrics(), /kiam_metadata_proxy_requests_blocked_total 1\n/);
  });

  const guarded = [
    `${treePath}-extended/`,
    `${treePath}-extended/reader`,
    '/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance',
    '/latest/meta-data/IAM/security-credentials/node-role',
    '/latest/meta-data/iam/%73ecurity-credentials-extended/node-role',
    '/latest/x/..%2fmeta-data/iam/security-credentials-extended/',
    '/x/latest/meta-data/iam/security-credentials/node-role',
    '/latest/API/token',
  ];
  for (const path of guarded) {
    it(`never passes ${path} on, however much is allowed`, async (t) => {
      const { upstream, door } = await setUp(t, '.*');
      assert.equal((await door.get(path)).status, 404);
      assert.equal(upstream.requests.length, 0);
    });
  }

  it('refuses the line feed by which kiam was tricked', async (t) => {
    const { upstream, door } = await setUp(t, '.*');
    assert.equal((await door.get(`${treePath}/node-role%0a`)).status, 400);
    assert.equal(upstream.requests.length, 0);
  });

  it('sends upstream the very path that was checked, and no query', async (t) => {
    const { upstream, door } = await setUp(t, '^/latest/meta-data/ami-id$');
    for (const path of [
      '//latest/./meta-data/x/../%61mi-id?token=1',
      'http://169.254.169.254/latest/meta-data/ami-id',
    ]) {
      assert.equal((await door.get(path)).status, 200);
    }
    assert.deepEqual(upstream.reads, [amiId, amiId]);
  });

  it('sends none of the client’s headers', async (t) => {
    const { upstream, door } = await setUp(t, 'ami-id');
    door.broker.set('127.0.0.1', credentialsAnswer(door.clock));
    await door.get(amiId, {
      headers: {
        Host: 'localhost',
        'X-Forwarded-For': '10.0.0.1',
        [tokenHeader]: door.signer.sign(fakeCaller.uid, 60),
        Connection: 'x-smuggled, close',
        'X-Smuggled': '1',
        Cookie: 'a=b',
        'Accept-Encoding': 'gzip',
      },
    });
    const sent = upstream.requests.at(-1)?.headers;
    assert.equal(sent?.host, new URL(upstream.url).host);
    assert.equal(sent?.[tokenHeader.toLowerCase()], 'upstream-token');
    assert.equal(sent?.['accept-encoding'], 'identity');
    for (const name of ['x-forwarded-for', 'x-smuggled', 'cookie'])
      assert.equal(sent?.[name], undefined, name);
  });

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    it(`passes no ${method} on`, async (t) => {
      const { upstream, door } = await setUp(t, '.*');
      const answer = await door.request(method, amiId, { headers: { 'Content-Length': '0' } });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, 'GET, HEAD');
      assert.equal(upstream.requests.length, 0);
    });
  }

  it('answers the token itself, whatever is allowed', async (t) => {
    const { upstream, door } = await setUp(t, '.*');
    door.broker.set('127.0.0.1', credentialsAnswer(door.clock));
    const answer = await door.request('PUT', tokenPath, { headers: { [ttlName]: '60' } });
    assert.equal(door.signer.verify(answer.body, fakeCaller.uid), 'valid');
    assert.equal(upstream.requests.length, 0);
  });

  it('answers HEAD with the length that GET would have', async (t) => {
    const { door } = await setUp(t, 'ami-id');
    const answer = await door.request('HEAD', amiId);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-length'], '12');
  });

  it('gives chunked answers a length', async (t) => {
    const { door } = await setUp(t, 'ami-id', {
      onRead: (_, response) => {
        response.write('ami-');
        response.end('1');
      },
    });
    const answer = await door.get(amiId);
    assert.equal(answer.headers['content-length'], '5');
    assert.equal(answer.body, 'ami-1');
  });

  for (const status of [400, 403, 404, 500, 503]) {
    it(`passes a ${status} on`, async (t) => {
      const { door } = await setUp(t, 'ami-id', {
        onRead: (_, response) => response.writeHead(status).end('why'),
      });
      const answer = await door.get(amiId);
      assert.equal(answer.status, status);
      assert.equal(answer.body, 'why');
    });
  }

  it('never passes a redirect on', async (t) => {
    const { door } = await setUp(t, 'ami-id', {
      onRead: (_, response) => response.writeHead(301, { Location: 'http://elsewhere/' }).end(),
    });
    const answer = await door.get(amiId);
    assert.equal(answer.status, 502);
    assert.equal(answer.headers.location, undefined);
    assert.match(answer.body, /answered 301/);
  });

  it('passes bytes on as they are', async (t) => {
    const bytes = Buffer.from([0x1f, 0x8b, 0x00, 0xff, 0x80]);
    const { door } = await setUp(t, 'user-data', { onRead: (_, response) => response.end(bytes) });
    const answer = await door.get('/latest/user-data');
    assert.deepEqual(Buffer.from(answer.body, 'latin1'), bytes);
  });

  it('does not pass on more than it may', async (t) => {
    const { door } = await setUp(t, 'ami-id', {
      maxBytes: 100,
      onRead: (_, response) => response.end('x'.repeat(101)),
    });
    const answer = await door.get(amiId);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /more than 100 bytes/);
  });

  it('passes on exactly as much as it may', async (t) => {
    const { door } = await setUp(t, 'ami-id', {
      maxBytes: 100,
      onRead: (_, response) => response.end('x'.repeat(100)),
    });
    assert.equal((await door.get(amiId)).status, 200);
  });

  it('answers 502 when nobody is there', async (t) => {
    const { upstream, door } = await setUp(t, 'ami-id');
    upstream.stop();
    const answer = await door.get(amiId);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /ECONNREFUSED/);
  });

  it('answers 502 when the answer breaks off', async (t) => {
    const { door } = await setUp(t, 'ami-id', {
      onRead: (request, response) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('x', () => request.socket.destroy());
      },
    });
    assert.equal((await door.get(amiId)).status, 502);
  });

  it('answers 502 when the answer takes too long, and gives the request up', async (t) => {
    const { promise: arrived, resolve } = Promise.withResolvers<IncomingMessage>();
    const { door } = await setUp(t, 'ami-id', { onRead: resolve });
    const answered = door.get(amiId);
    const request = await arrived;
    await door.clock.advance(3_000);
    const answer = await answered;
    assert.equal(answer.status, 502);
    assert.match(answer.body, /no answer within 3000 ms/);
    await once(request.socket, 'close');
    assert.equal(door.clock.pending, 0);
  });

  it('gives the request up when the client goes away', async (t) => {
    const { promise: arrived, resolve } = Promise.withResolvers<IncomingMessage>();
    const { door } = await setUp(t, 'ami-id', { onRead: resolve });
    const client = door.connect();
    client.send(requestText('GET', amiId));
    const request = await arrived;
    client.close();
    await once(request.socket, 'close');
    assert.equal(door.clock.pending, 0);
  });

  it('serves a caller that is not known, who has no token', async (t) => {
    const { door } = await setUp(t, 'ami-id');
    assert.equal((await door.get(amiId)).status, 200);
    assert.equal(door.broker.calls.length, 0);
  });

  it('waits for the pod where there is a token to check, and then passes on', async (t) => {
    const { door } = await setUp(t, 'ami-id');
    const answered = door.get(amiId, { headers: { [tokenHeader]: door.signer.sign(fakeCaller.uid, 60) } });
    await door.broker.untilWaiting(1);
    door.broker.set('127.0.0.1', { kind: 'no-role', caller: fakeCaller });
    assert.equal((await answered).body, 'ami-12345678');
  });

  it('counts under the handler proxy', async (t) => {
    const { door } = await setUp(t, 'ami-id');
    await door.get(amiId);
    await door.get('/latest/user-data');
    const text = await door.metrics.registry.metrics();
    assert.match(text, /kiam_metadata_responses_total\{handler="proxy",code="200"\} 1\n/);
    assert.match(text, /kiam_metadata_responses_total\{handler="proxy",code="404"\} 1\n/);
  });
});

describe('the session token of the agent', () => {
  it('is asked for once and kept', async (t) => {
    const { upstream, door } = await setUp(t, 'ami-id');
    for (let i = 0; i < 3; i += 1) await door.get(amiId);
    assert.equal(upstream.requests.filter(({ method }) => method === 'PUT').length, 1);
    const put = upstream.requests[0];
    assert.equal(put?.url, '/latest/api/token');
    assert.equal(put?.headers[ttlName], '21600');
    assert.equal(put?.headers['x-forwarded-for'], undefined);
  });

  it('is asked for once by many at a time', async (t) => {
    const { upstream, door } = await setUp(t, 'ami-id');
    await Promise.all(Array.from({ length: 20 }, () => door.get(amiId)));
    assert.equal(upstream.requests.filter(({ method }) => method === 'PUT').length, 1);
    assert.equal(upstream.reads.length, 20);
  });

  it('is replaced a minute before its end', async (t) => {
    const { upstream, door } = await setUp(t, 'ami-id', {
      onToken: (_, response) => response.writeHead(200, { [ttlName]: '300' }).end('short'),
    });
    const puts = () => upstream.requests.filter(({ method }) => method === 'PUT').length;
    await door.get(amiId);
    await door.clock.advance(239_999);
    await door.get(amiId);
    assert.equal(puts(), 1);
    await door.clock.advance(1);
    await door.get(amiId);
    assert.equal(puts(), 2);
  });

  for (const status of [404, 405]) {
    it(`is done without where the service has none (${status}), and asked for again later`, async (t) => {
      const { upstream, door } = await setUp(t, 'ami-id', {
        onToken: (_, response) => response.writeHead(status).end(),
      });
      assert.equal((await door.get(amiId)).status, 200);
      assert.equal((await door.get(amiId)).status, 200);
      assert.equal(upstream.requests.at(-1)?.headers[tokenHeader.toLowerCase()], undefined);
      assert.equal(upstream.requests.filter(({ method }) => method === 'PUT').length, 1);
      await door.clock.advance(300_000);
      await door.get(amiId);
      assert.equal(upstream.requests.filter(({ method }) => method === 'PUT').length, 2);
    });
  }

  const failures: [string, Handler][] = [
    ['400', (_, response) => response.writeHead(400).end()],
    ['401', (_, response) => response.writeHead(401).end()],
    ['403', (_, response) => response.writeHead(403).end()],
    ['500', (_, response) => response.writeHead(500).end()],
    ['200 without a token', (_, response) => response.end()],
    ['200 with a header in it', (_, response) => response.end('a\r\nX-Smuggled: 1')],
    ['200 with a page', (_, response) => response.end('x'.repeat(1_025))],
  ];
  for (const [name, onToken] of failures) {
    it(`is never done without otherwise: ${name}`, async (t) => {
      const { upstream, door } = await setUp(t, 'ami-id', { onToken });
      const answer = await door.get(amiId);
      assert.equal(answer.status, 502);
      assert.match(answer.body, /session token/);
      assert.deepEqual(upstream.reads, []);
    });
  }

  it('may fail once and be had the next time', async (t) => {
    let healthy = false;
    const { door } = await setUp(t, 'ami-id', {
      onToken: (_, response) => response.writeHead(healthy ? 200 : 503, { [ttlName]: '300' }).end('token'),
    });
    assert.equal((await door.get(amiId)).status, 502);
    healthy = true;
    assert.equal((await door.get(amiId)).status, 200);
  });

  it('does not come, and the request ends in time', async (t) => {
    const { promise: arrived, resolve } = Promise.withResolvers<IncomingMessage>();
    const { door } = await setUp(t, 'ami-id', { onToken: resolve });
    const answered = door.get(amiId);
    await arrived;
    await door.clock.advance(3_000);
    assert.equal((await answered).status, 502);
    assert.equal(door.clock.pending, 0);
  });

  it('is renewed once when the service does not take it', async (t) => {
    let current = 1;
    const { upstream, door } = await setUp(t, 'ami-id', {
      onToken: (_, response) => response.writeHead(200, { [ttlName]: '21600' }).end(`token-${current}`),
      onRead: (request, response) => {
        const good = request.headers[tokenHeader.toLowerCase()] === `token-${current}`;
        response.writeHead(good ? 200 : 401).end(good ? 'ami-1' : '');
      },
    });
    await door.get(amiId);
    current = 2;
    const answer = await door.get(amiId);
    assert.equal(answer.body, 'ami-1');
    assert.equal(upstream.requests.filter(({ method }) => method === 'PUT').length, 2);
  });

  it('is not renewed for ever; the 401 is not the client’s', async (t) => {
    const { upstream, door } = await setUp(t, 'ami-id', {
      onRead: (_, response) => response.writeHead(401).end(),
    });
    const answer = await door.get(amiId);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /answered 401/);
    assert.equal(upstream.reads.length, 2);
  });

  it('is asked for when a service without IMDSv2 begins to want it', async (t) => {
    let required = false;
    const { door } = await setUp(t, 'ami-id', {
      onToken: (_, response) => response.writeHead(required ? 200 : 404).end('token'),
      onRead: (request, response) =>
        response.writeHead(required && !request.headers[tokenHeader.toLowerCase()] ? 401 : 200).end(),
    });
    assert.equal((await door.get(amiId)).status, 200);
    required = true;
    assert.equal((await door.get(amiId)).status, 200);
  });
});
