import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import type { ClusterAccess, ClusterConfig } from './cluster-config.ts';
import type { ClusterConnection, StreamItem } from './connection.ts';
import { type ClusterConnectionOptions, createClusterConnection } from './create-connection.ts';
import { type FakeApiServer, startFakeApiServer } from './testing/fake-api-server.ts';
import { type FakeRequest, status } from './testing/fake-cluster.ts';
import { createFakeStream } from './testing/fake-stream.ts';

const open: ClusterAccess = { headers: { authorization: 'Bearer secret-token' }, tls: {} };
const never = new AbortController().signal;
const get = { method: 'GET', path: '/api/v1/pods', timeoutMillis: 5_000, signal: never } as const;
const watch = { path: '/api/v1/pods', openMillis: 5_000, silenceMillis: 60_000, signal: never };

async function serve(
  t: TestContext,
  answer: Parameters<typeof startFakeApiServer>[0],
  options: Partial<ClusterConnectionOptions> & { readonly access?: ClusterConfig['access'] } = {},
): Promise<{ server: FakeApiServer; connection: ClusterConnection }> {
  const server = await startFakeApiServer(answer);
  const config = { server: server.url, source: 'the test', access: options.access ?? (async () => open) };
  const connection = createClusterConnection({ config, clock: systemClock, ...options });
  t.after(async () => {
    connection.close();
    await server.close();
  });
  return { server, connection };
}

async function readAll(connection: ClusterConnection): Promise<StreamItem[]> {
  const opened = await connection.openStream(watch);
  assert.equal(opened.kind, 'open');
  const items: StreamItem[] = [];
  if (opened.kind === 'open') for await (const item of opened.items) items.push(item);
  return items;
}

/** Polls in real time, for what a real socket does; bounded by turns of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000; turn += 1) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail('it did not happen');
}

describe('a request', () => {
  it('carries the query, the credentials and who asks, and brings back JSON', async (t) => {
    const requests: FakeRequest[] = [];
    const { connection } = await serve(t, (request) => {
      requests.push(request);
      return { kind: 'json', status: 200, body: { items: [] } };
    });
    const outcome = await connection.requestJson({
      ...get,
      query: { limit: 500, continue: undefined, fieldSelector: 'spec.nodeName=a&b' },
    });
    assert.deepEqual(outcome, { kind: 'ok', status: 200, body: { items: [] } });
    const [request] = requests;
    assert.deepEqual(request?.query, { limit: '500', fieldSelector: 'spec.nodeName=a&b' });
    assert.equal(request?.headers.authorization, 'Bearer secret-token');
    assert.equal(request?.headers['user-agent'], 'podpass');
    assert.equal(request?.headers.accept, 'application/json');
  });

  it('carries a body with its type', async (t) => {
    const requests: FakeRequest[] = [];
    const { connection } = await serve(t, (request) => {
      requests.push(request);
      return { kind: 'json', status: 201, body: {} };
    });
    const contentType = 'application/strategic-merge-patch+json';
    await connection.requestJson({ ...get, method: 'PATCH', body: { count: 2, text: 'Grüße' }, contentType });
    assert.equal(requests[0]?.method, 'PATCH');
    assert.deepEqual(requests[0]?.body, { count: 2, text: 'Grüße' });
    assert.equal(requests[0]?.headers['content-type'], contentType);
  });

  it('keeps the path that an API server stands behind', async (t) => {
    const paths: string[] = [];
    const server = await startFakeApiServer(({ path }) => {
      paths.push(path);
      return { kind: 'json', status: 200, body: {} };
    });
    const config = { server: `${server.url}/k8s/clusters/c-1`, source: 'the test', access: async () => open };
    const connection = createClusterConnection({ config, clock: systemClock });
    t.after(async () => {
      connection.close();
      await server.close();
    });
    await connection.requestJson(get);
    assert.deepEqual(paths, ['/k8s/clusters/c-1/api/v1/pods']);
  });

  it('uses one connection for one request after another', async (t) => {
    const { server, connection } = await serve(t, () => ({ kind: 'json', status: 200, body: {} }));
    for (let turn = 0; turn < 5; turn += 1) await connection.requestJson(get);
    assert.equal(server.connections, 1);
  });

  it('that is refused brings back the status, the reason and the patience asked for', async (t) => {
    const { connection } = await serve(t, () => ({
      kind: 'json',
      status: 429,
      body: { kind: 'Status', reason: 'TooManyRequests', message: 'slow down' },
      retryAfter: '3',
    }));
    assert.deepEqual(await connection.requestJson(get), {
      kind: 'status',
      status: 429,
      reason: 'TooManyRequests',
      message: 'slow down',
      retryAfterMillis: 3_000,
    });
  });

  it('that somebody other than an API server answers is not taken for one', async (t) => {
    const { connection } = await serve(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works!</h1>');
      return undefined;
    });
    const outcome = await connection.requestJson(get);
    assert.equal(outcome.kind, 'unreachable');
    assert.match(
      outcome.kind === 'unreachable' ? outcome.message : '',
      /not JSON. Is it a Kubernetes API server/,
    );
  });

  it('follows no redirect: credentials go to one address only', async (t) => {
    let asked = 0;
    const { connection } = await serve(t, (_request, response) => {
      asked += 1;
      response.writeHead(302, { location: '/elsewhere' }).end();
      return undefined;
    });
    const outcome = await connection.requestJson(get);
    assert.equal(outcome.kind === 'status' && outcome.status, 302);
    assert.equal(asked, 1);
  });

  it('whose answer is larger than the bound is given up', async (t) => {
    const { connection } = await serve(t, () => ({ kind: 'json', status: 200, body: 'x'.repeat(2_000) }), {
      maxResponseBytes: 1_000,
    });
    assert.equal((await connection.requestJson(get)).kind, 'oversized');
  });

  it('whose refusal is larger than the bound still has its status', async (t) => {
    const { connection } = await serve(t, () => ({ kind: 'json', status: 403, body: 'x'.repeat(2_000) }), {
      maxResponseBytes: 1_000,
    });
    assert.equal(inShort(await connection.requestJson(get)), 'status 403');
  });

  it('is never tried twice', async (t) => {
    let asked = 0;
    const { connection } = await serve(t, () => {
      asked += 1;
      return { kind: 'unreachable', message: '' };
    });
    const outcome = await connection.requestJson(get);
    assert.equal(outcome.kind, 'unreachable');
    assert.equal(asked, 1);
  });

  it('to nobody says where, and why not', async () => {
    const server = await startFakeApiServer(() => undefined);
    await server.close();
    const config = { server: server.url, source: 'the test', access: async () => open };
    const connection = createClusterConnection({ config, clock: systemClock });
    const outcome = await connection.requestJson(get);
    assert.equal(outcome.kind, 'unreachable');
    const message = outcome.kind === 'unreachable' ? outcome.message : '';
    assert.ok(message.includes(server.url) && message.includes('ECONNREFUSED'), message);
    assert.ok(!message.includes('secret-token'));
  });

  it('that nobody answers is given up in time, on the clock that was passed in', async (t) => {
    const clock = createFakeClock();
    let asked = false;
    const { connection } = await serve(
      t,
      () => {
        asked = true;
        return { kind: 'hang' };
      },
      { clock },
    );
    const pending = connection.requestJson(get);
    await until(() => asked);
    await clock.advance(5_000);
    const outcome = await pending;
    assert.match(outcome.kind === 'unreachable' ? outcome.message : '', /within 5000 ms/);
    assert.equal(clock.pending, 0);
  });

  it('is bounded as a whole: a body that trickles does not keep it alive', async (t) => {
    const clock = createFakeClock();
    let begun = false;
    const { connection } = await serve(
      t,
      (_request, response) => {
        response.writeHead(200).write('{"items":');
        begun = true;
        return undefined;
      },
      { clock },
    );
    const pending = connection.requestJson(get);
    await until(() => begun);
    await clock.advance(5_000);
    assert.equal((await pending).kind, 'unreachable');
  });

  it('rejects with the reason of its signal', async (t) => {
    const { connection } = await serve(t, () => ({ kind: 'hang' }));
    const caller = new AbortController();
    const pending = connection.requestJson({ ...get, signal: caller.signal });
    const reason = new Error('the caller went away');
    setImmediate(() => caller.abort(reason));
    await assert.rejects(pending, reason);
    await assert.rejects(connection.requestJson({ ...get, signal: caller.signal }), reason);
  });

  it('ends when the connection is closed', async (t) => {
    const { connection } = await serve(t, () => ({ kind: 'hang' }));
    const pending = connection.requestJson(get);
    setImmediate(() => connection.close());
    assert.deepEqual(await pending, { kind: 'unreachable', message: 'the connection was closed' });
  });
});

function inShort(outcome: { readonly kind: string; readonly status?: number }): string {
  return `${outcome.kind} ${outcome.status}`;
}

describe('credentials', () => {
  it('are asked for before each request, and anew after a 401', async (t) => {
    const asked: boolean[] = [];
    let answers = 0;
    const { connection } = await serve(
      t,
      () => {
        answers += 1;
        return answers === 1
          ? status(401, 'Unauthorized', 'Unauthorized')
          : { kind: 'json', status: 200, body: {} };
      },
      {
        access: async ({ refused }) => {
          asked.push(refused);
          return open;
        },
      },
    );
    for (let turn = 0; turn < 3; turn += 1) await connection.requestJson(get);
    assert.deepEqual(asked, [false, true, false]);
  });

  it('are asked for anew after a watch that was answered 401, too', async (t) => {
    const asked: boolean[] = [];
    const { connection } = await serve(t, () => status(401, 'Unauthorized', 'Unauthorized'), {
      access: async ({ refused }) => {
        asked.push(refused);
        return open;
      },
    });
    const outcome = await connection.openStream(watch);
    assert.equal(outcome.kind === 'status' && outcome.status, 401);
    await connection.requestJson(get);
    assert.deepEqual(asked, [false, true]);
  });

  it('that cannot be had are an outcome, not an exception', async (t) => {
    const { connection } = await serve(t, () => undefined, {
      access: async () => {
        throw new Error('the exec plugin failed');
      },
    });
    for (const outcome of [await connection.requestJson(get), await connection.openStream(watch)]) {
      assert.equal(outcome.kind, 'unreachable');
      assert.match(outcome.kind === 'unreachable' ? outcome.message : '', /the exec plugin failed/);
    }
  });

  it('that take too long are given up', async (t) => {
    const clock = createFakeClock();
    const { connection } = await serve(t, () => undefined, { clock, access: () => new Promise(() => {}) });
    const pending = [connection.requestJson(get), connection.openStream(watch)];
    await clock.advance(5_000);
    for (const outcome of await Promise.all(pending)) assert.equal(outcome.kind, 'unreachable');
  });
});

describe('the address of the API server', () => {
  for (const server of ['', 'not a url', 'ftp://host', 'host:6443']) {
    it(`${JSON.stringify(server)} is refused with where it came from`, () => {
      const config = { server, source: 'context dev', access: async () => open };
      assert.throws(() => createClusterConnection({ config, clock: systemClock }), {
        code: 'ERR_CLUSTER_CONFIG',
        message: /^context dev: /,
      });
    });
  }
});

describe('a stream', () => {
  it('brings each line as it comes, and its end', async (t) => {
    const stream = createFakeStream();
    const { connection } = await serve(t, () => ({ kind: 'stream', stream }));
    const opened = await connection.openStream({ ...watch, query: { watch: true } });
    assert.ok(opened.kind === 'open');
    for (const value of [{ n: 1 }, { n: 2 }]) {
      stream.send(value);
      assert.deepEqual(await opened.items.next(), { done: false, value: { kind: 'object', value } });
    }
    stream.end('closed');
    const last = await opened.items.next();
    assert.equal(last.value?.kind === 'end' && last.value.end, 'closed');
    assert.equal((await opened.items.next()).done, true);
  });

  it('that is refused is not opened', async (t) => {
    const { connection } = await serve(t, () => status(410, 'Expired', 'too old resource version'));
    assert.deepEqual(await connection.openStream(watch), {
      kind: 'status',
      status: 410,
      reason: 'Expired',
      message: 'too old resource version',
    });
  });

  it('whose server does not answer is given up', async (t) => {
    const clock = createFakeClock();
    let asked = false;
    const { connection } = await serve(
      t,
      () => {
        asked = true;
        return { kind: 'hang' };
      },
      { clock },
    );
    const pending = connection.openStream(watch);
    await until(() => asked);
    await clock.advance(5_000);
    assert.equal((await pending).kind, 'unreachable');
    assert.equal(clock.pending, 0);
  });

  it('outlives the bound on its opening', async (t) => {
    const clock = createFakeClock();
    const stream = createFakeStream();
    const { connection } = await serve(t, () => ({ kind: 'stream', stream }), { clock });
    const opened = await connection.openStream(watch);
    assert.ok(opened.kind === 'open');
    await clock.advance(30_000);
    stream.send({ n: 1 });
    assert.deepEqual((await opened.items.next()).value, { kind: 'object', value: { n: 1 } });
    await opened.items.return();
    assert.equal(clock.pending, 0);
  });

  it('is silent when no byte came for too long, counted from the last one', async (t) => {
    const clock = createFakeClock();
    const stream = createFakeStream();
    const { connection } = await serve(t, () => ({ kind: 'stream', stream }), { clock });
    const opened = await connection.openStream(watch);
    assert.ok(opened.kind === 'open');
    await clock.advance(50_000);
    stream.send({ n: 1 });
    await opened.items.next();
    const last = opened.items.next();
    await clock.advance(59_000);
    assert.equal(clock.pending, 1);
    await clock.advance(1_000);
    const { value } = await last;
    assert.equal(value?.kind === 'end' && value.end, 'silent');
    assert.equal(clock.pending, 0);
  });

  const broken: [string, string | undefined, string][] = [
    ['cut between lines', '{"n":1}\n', 'lost'],
    ['cut within a line', '{"n":1}\n{"n":', 'lost'],
    ['with a line that is not JSON', '{"n":1}\n<html>\n', 'malformed'],
    ['with a line that is too long', `{"n":1}\n${'x'.repeat(2_000)}`, 'oversized'],
  ];
  for (const [how, text, end] of broken) {
    it(`${how} gives what came before, and ends as ${end}`, async (t) => {
      const { connection } = await serve(
        t,
        (_request, response) => {
          response.writeHead(200).write(text ?? '', () => {
            if (end === 'lost') setImmediate(() => response.destroy());
          });
          return undefined;
        },
        { maxLineBytes: 1_000 },
      );
      const items = await readAll(connection);
      assert.deepEqual(items[0], { kind: 'object', value: { n: 1 } });
      assert.equal(items.length, 2);
      assert.equal(items[1]?.kind === 'end' && items[1].end, end);
    });
  }

  it('closed in order within a line has lost something', async (t) => {
    const { connection } = await serve(t, (_request, response) => {
      response.writeHead(200).end('{"n":1}\n{"n":');
      return undefined;
    });
    const items = await readAll(connection);
    assert.equal(items[1]?.kind === 'end' && items[1].end, 'lost');
  });

  it('throws the reason of its signal, and lets the connection go', async (t) => {
    let gone = false;
    const { connection } = await serve(t, (_request, response) => {
      response.on('close', () => {
        gone = true;
      });
      response.writeHead(200).flushHeaders();
      return undefined;
    });
    const caller = new AbortController();
    const opened = await connection.openStream({ ...watch, signal: caller.signal });
    assert.ok(opened.kind === 'open');
    const pending = opened.items.next();
    const reason = new Error('shutting down');
    setImmediate(() => caller.abort(reason));
    await assert.rejects(pending, reason);
    await until(() => gone);
  });

  it('whose reader leaves lets the connection go', async (t) => {
    let gone = false;
    const { connection } = await serve(t, (_request, response) => {
      response.on('close', () => {
        gone = true;
      });
      response.writeHead(200).write('{"n":1}\n{"n":2}\n');
      return undefined;
    });
    const opened = await connection.openStream(watch);
    assert.ok(opened.kind === 'open');
    for await (const item of opened.items) {
      assert.equal(item.kind, 'object');
      break;
    }
    await until(() => gone);
  });

  it('is lost when the connection is closed', async (t) => {
    const { connection } = await serve(t, () => ({ kind: 'stream', stream: createFakeStream() }));
    const opened = await connection.openStream(watch);
    assert.ok(opened.kind === 'open');
    const pending = opened.items.next();
    setImmediate(() => connection.close());
    const { value } = await pending;
    assert.equal(value?.kind === 'end' && value.end, 'lost');
  });
});
