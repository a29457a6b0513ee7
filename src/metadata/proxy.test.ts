import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { requestText, tokenHeader, tokenPath, treePath } from './testing/door.ts';
import { credentialsAnswer, fakeCaller } from './testing/fake-broker.ts';
import { openProxy, ttlName } from './testing/fake-upstream.ts';

const amiId = '/latest/meta-data/ami-id';

describe('the guarded proxy', () => {
  it('passes on what is allowed', async (t) => {
    const { upstream, door } = await openProxy(t, 'ami-id', {
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
    const { upstream, door } = await openProxy(t, '');
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
      const { upstream, door } = await openProxy(t, '.*');
      assert.equal((await door.get(path)).status, 404);
      assert.equal(upstream.requests.length, 0);
    });
  }

  it('refuses the line feed by which kiam was tricked', async (t) => {
    const { upstream, door } = await openProxy(t, '.*');
    assert.equal((await door.get(`${treePath}/node-role%0a`)).status, 400);
    assert.equal(upstream.requests.length, 0);
  });

  it('sends upstream the very path that was checked, and no query', async (t) => {
    const { upstream, door } = await openProxy(t, '^/latest/meta-data/ami-id$');
    for (const path of [
      '//latest/./meta-data/x/../%61mi-id?token=1',
      'http://169.254.169.254/latest/meta-data/ami-id',
    ]) {
      assert.equal((await door.get(path)).status, 200);
    }
    assert.deepEqual(upstream.reads, [amiId, amiId]);
  });

  it('sends of the client’s headers only those that choose among answers', async (t) => {
    const { upstream, door } = await openProxy(t, 'ami-id');
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
        'If-None-Match': '"1"',
      },
    });
    const sent = upstream.requests.at(-1)?.headers;
    assert.equal(sent?.host, new URL(upstream.url).host);
    assert.equal(sent?.[tokenHeader.toLowerCase()], 'upstream-token');
    assert.equal(sent?.['accept-encoding'], 'identity');
    assert.equal(sent?.['if-none-match'], '"1"');
    for (const name of ['x-forwarded-for', 'x-smuggled', 'cookie'])
      assert.equal(sent?.[name], undefined, name);
  });

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    it(`passes no ${method} on`, async (t) => {
      const { upstream, door } = await openProxy(t, '.*');
      const answer = await door.request(method, amiId, { headers: { 'Content-Length': '0' } });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, 'GET, HEAD');
      assert.equal(upstream.requests.length, 0);
    });
  }

  it('answers the token itself, whatever is allowed', async (t) => {
    const { upstream, door } = await openProxy(t, '.*');
    door.broker.set('127.0.0.1', credentialsAnswer(door.clock));
    const answer = await door.request('PUT', tokenPath, { headers: { [ttlName]: '60' } });
    assert.equal(door.signer.verify(answer.body, fakeCaller.uid), 'valid');
    assert.equal(upstream.requests.length, 0);
  });

  it('asks HEAD with HEAD, and answers with the length that GET would have', async (t) => {
    const { upstream, door } = await openProxy(t, 'ami-id', {
      onRead: (_, response) => response.writeHead(200, { 'Content-Length': '12', ETag: '"1"' }).end(),
    });
    const answer = await door.request('HEAD', amiId);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-length'], '12');
    assert.equal(answer.headers.etag, '"1"');
    assert.equal(upstream.requests.at(-1)?.method, 'HEAD');
  });

  it('passes a 304 on to who asked under a condition, and to nobody else', async (t) => {
    const { door } = await openProxy(t, 'ami-id', {
      onRead: (_, response) => response.writeHead(304, { ETag: '"1"' }).end(),
    });
    const answer = await door.get(amiId, { headers: { 'If-None-Match': '"1"' } });
    assert.equal(answer.status, 304);
    assert.equal(answer.headers.etag, '"1"');
    assert.equal((await door.get(amiId)).status, 502);
  });

  it('passes a range on, and what the service makes of it', async (t) => {
    const { upstream, door } = await openProxy(t, 'ami-id', {
      onRead: (_, response) => response.writeHead(206, { 'Content-Range': 'bytes 0-2/12' }).end('ami'),
    });
    const answer = await door.get(amiId, { headers: { Range: 'bytes=0-2' } });
    assert.equal(answer.status, 206);
    assert.equal(answer.headers['content-range'], 'bytes 0-2/12');
    assert.equal(answer.body, 'ami');
    assert.equal(upstream.requests.at(-1)?.headers.range, 'bytes=0-2');
  });

  it('gives chunked answers a length', async (t) => {
    const { door } = await openProxy(t, 'ami-id', {
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
      const { door } = await openProxy(t, 'ami-id', {
        onRead: (_, response) => response.writeHead(status).end('why'),
      });
      const answer = await door.get(amiId);
      assert.equal(answer.status, status);
      assert.equal(answer.body, 'why');
    });
  }

  it('never passes a redirect on', async (t) => {
    const { door } = await openProxy(t, 'ami-id', {
      onRead: (_, response) => response.writeHead(301, { Location: 'http://elsewhere/' }).end(),
    });
    const answer = await door.get(amiId);
    assert.equal(answer.status, 502);
    assert.equal(answer.headers.location, undefined);
    assert.match(answer.body, /answered 301/);
  });

  it('passes bytes on as they are', async (t) => {
    const bytes = Buffer.from([0x1f, 0x8b, 0x00, 0xff, 0x80]);
    const { door } = await openProxy(t, 'user-data', { onRead: (_, response) => response.end(bytes) });
    const answer = await door.get('/latest/user-data');
    assert.deepEqual(Buffer.from(answer.body, 'latin1'), bytes);
  });

  it('does not pass on more than it may', async (t) => {
    const { door } = await openProxy(t, 'ami-id', {
      bounds: { maxBytes: 100 },
      onRead: (_, response) => response.end('x'.repeat(101)),
    });
    const answer = await door.get(amiId);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /more than 100 bytes/);
  });

  it('passes on exactly as much as it may', async (t) => {
    const { door } = await openProxy(t, 'ami-id', {
      bounds: { maxBytes: 100 },
      onRead: (_, response) => response.end('x'.repeat(100)),
    });
    assert.equal((await door.get(amiId)).status, 200);
  });

  it('answers 502 when nobody is there', async (t) => {
    const { upstream, door } = await openProxy(t, 'ami-id');
    upstream.stop();
    const answer = await door.get(amiId);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /ECONNREFUSED/);
  });

  it('answers 502 when the answer breaks off', async (t) => {
    const { door } = await openProxy(t, 'ami-id', {
      onRead: (request, response) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('x', () => request.socket.destroy());
      },
    });
    assert.equal((await door.get(amiId)).status, 502);
  });

  it('answers 502 when the answer takes too long, and gives the request up', async (t) => {
    const { promise: arrived, resolve } = Promise.withResolvers<IncomingMessage>();
    const { door } = await openProxy(t, 'ami-id', { onRead: resolve });
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
    const { door } = await openProxy(t, 'ami-id', { onRead: resolve });
    const client = door.connect();
    client.send(requestText('GET', amiId));
    const request = await arrived;
    client.close();
    await once(request.socket, 'close');
    assert.equal(door.clock.pending, 0);
  });

  it('serves a caller that is not known, who has no token', async (t) => {
    const { door } = await openProxy(t, 'ami-id');
    assert.equal((await door.get(amiId)).status, 200);
    assert.equal(door.broker.calls.length, 0);
  });

  it('waits for the pod where there is a token to check, and then passes on', async (t) => {
    const { door } = await openProxy(t, 'ami-id');
    const answered = door.get(amiId, { headers: { [tokenHeader]: door.signer.sign(fakeCaller.uid, 60) } });
    await door.broker.untilWaiting(1);
    door.broker.set('127.0.0.1', { kind: 'no-role', caller: fakeCaller });
    assert.equal((await answered).body, 'ami-12345678');
  });

  it('counts under the handler proxy', async (t) => {
    const { door } = await openProxy(t, 'ami-id');
    await door.get(amiId);
    await door.get('/latest/user-data');
    const text = await door.metrics.registry.metrics();
    assert.match(text, /kiam_metadata_responses_total\{handler="proxy",code="200"\} 1\n/);
    assert.match(text, /kiam_metadata_responses_total\{handler="proxy",code="404"\} 1\n/);
  });
});
