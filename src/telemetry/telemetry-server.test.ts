import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createHealth, type Health } from './health.ts';
import { createMetrics } from './metrics.ts';
import { startTelemetryServer, type TelemetryServer } from './telemetry-server.ts';

describe('telemetry server', () => {
  let server: TelemetryServer;
  let health: Health;
  let synced = false;

  beforeEach(async () => {
    synced = false;
    health = createHealth();
    health.add('live', 'process', () => ({ ok: true, message: 'running' }));
    health.add('ready', 'pod watch', () =>
      synced ? { ok: true, message: 'synced' } : { ok: false, message: 'waiting for the first list of pods' },
    );
    server = await startTelemetryServer({ metrics: createMetrics(), health, host: '127.0.0.1', port: 0 });
  });
  afterEach(() => server.close());

  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: response.status, body: await response.text() };
  };

  it('serves metrics as Prometheus text', async () => {
    const { status, body } = await get('/metrics?x=1');
    assert.equal(status, 200);
    assert.match(body, /# TYPE kiam_metadata_responses_total counter/);
  });

  it('is alive while not ready, and says what it waits for', async () => {
    assert.equal((await get('/healthz')).status, 200);
    assert.deepEqual(await get('/readyz'), {
      status: 503,
      body: '[-]pod watch: waiting for the first list of pods\nfailed\n',
    });
    synced = true;
    assert.deepEqual(await get('/readyz'), { status: 200, body: '[+]pod watch: synced\nok\n' });
  });

  it('has nothing else', async () => {
    for (const path of ['/', '/debug', '/metrics/']) assert.equal((await get(path)).status, 404, path);
  });

  it('shows pages to this host and to nobody else', async (t) => {
    const { port, close } = await startTelemetryServer({
      metrics: createMetrics(),
      health,
      port: 0,
      localPages: new Map([['/debug/store', () => ({ a: 1 })]]),
    });
    t.after(close);
    const local = await fetch(`http://127.0.0.1:${port}/debug/store`);
    assert.equal(local.headers.get('content-type'), 'application/json');
    assert.equal(await local.text(), '{"a":1}\n');
    const [outer] = Object.values(networkInterfaces())
      .flatMap((addresses = []) => addresses)
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    // The address that a caller has who asks an address of this host is that address.
    if (outer) assert.equal((await fetch(`http://${outer.address}:${port}/debug/store`)).status, 404);
  });

  it('lets the next process listen before it stops, if both say so', async (t) => {
    const options = { metrics: createMetrics(), health, host: '127.0.0.1', reusePort: true };
    const old = await startTelemetryServer({ ...options, port: 0 });
    const next = await startTelemetryServer({ ...options, port: old.port });
    t.after(() => next.close());
    await old.close();
    assert.equal((await fetch(`http://127.0.0.1:${next.port}/healthz`)).status, 200);
  });

  it('says which address it could not have', async () => {
    await assert.rejects(
      startTelemetryServer({ metrics: createMetrics(), health, host: '127.0.0.1', port: server.port }),
      { code: 'ERR_LISTEN', message: new RegExp(`127\\.0\\.0\\.1:${server.port}.*Is the port taken\\?`) },
    );
  });
});
