import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { tokenHeader } from './testing/door.ts';
import { openProxy, ttlName, type UpstreamHandler } from './testing/fake-upstream.ts';

const amiId = '/latest/meta-data/ami-id';

describe('the session token of the agent', () => {
  it('is asked for once and kept', async (t) => {
    const { upstream, door } = await openProxy(t, 'ami-id');
    for (let i = 0; i < 3; i += 1) await door.get(amiId);
    assert.equal(upstream.requests.filter(({ method }) => method === 'PUT').length, 1);
    const put = upstream.requests[0];
    assert.equal(put?.url, '/latest/api/token');
    assert.equal(put?.headers[ttlName], '21600');
    assert.equal(put?.headers['x-forwarded-for'], undefined);
  });

  it('is asked for once by many at a time', async (t) => {
    const { upstream, door } = await openProxy(t, 'ami-id');
    await Promise.all(Array.from({ length: 20 }, () => door.get(amiId)));
    assert.equal(upstream.requests.filter(({ method }) => method === 'PUT').length, 1);
    assert.equal(upstream.reads.length, 20);
  });

  it('is replaced a minute before its end', async (t) => {
    const { upstream, door } = await openProxy(t, 'ami-id', {
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
      const { upstream, door } = await openProxy(t, 'ami-id', {
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

  const failures: [string, UpstreamHandler][] = [
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
      const { upstream, door } = await openProxy(t, 'ami-id', { onToken });
      const answer = await door.get(amiId);
      assert.equal(answer.status, 502);
      assert.match(answer.body, /session token/);
      assert.deepEqual(upstream.reads, []);
    });
  }

  it('may fail once and be had the next time', async (t) => {
    let healthy = false;
    const { door } = await openProxy(t, 'ami-id', {
      onToken: (_, response) => response.writeHead(healthy ? 200 : 503, { [ttlName]: '300' }).end('token'),
    });
    assert.equal((await door.get(amiId)).status, 502);
    healthy = true;
    assert.equal((await door.get(amiId)).status, 200);
  });

  it('does not come, and the request ends in time', async (t) => {
    const { promise: arrived, resolve } = Promise.withResolvers<IncomingMessage>();
    const { door } = await openProxy(t, 'ami-id', { onToken: resolve });
    const answered = door.get(amiId);
    await arrived;
    await door.clock.advance(3_000);
    assert.equal((await answered).status, 502);
    assert.equal(door.clock.pending, 0);
  });

  it('is renewed once when the service does not take it', async (t) => {
    let current = 1;
    const { upstream, door } = await openProxy(t, 'ami-id', {
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
    const { upstream, door } = await openProxy(t, 'ami-id', {
      onRead: (_, response) => response.writeHead(401).end(),
    });
    const answer = await door.get(amiId);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /answered 401/);
    assert.equal(upstream.reads.length, 2);
  });

  it('is asked for when a service without IMDSv2 begins to want it', async (t) => {
    let required = false;
    const { door } = await openProxy(t, 'ami-id', {
      onToken: (_, response) => response.writeHead(required ? 200 : 404).end('token'),
      onRead: (request, response) =>
        response.writeHead(required && !request.headers[tokenHeader.toLowerCase()] ? 401 : 200).end(),
    });
    assert.equal((await door.get(amiId)).status, 200);
    required = true;
    assert.equal((await door.get(amiId)).status, 200);
  });
});
