import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createMetrics } from '../telemetry/metrics.ts';
import { createMeter, handlers } from './meter.ts';

function setUp() {
  const metrics = createMetrics();
  return { meter: createMeter(metrics), scrape: () => metrics.registry.metrics() };
}

describe('createMeter', () => {
  it('reports nothing before the first request', async () => {
    const { scrape } = setUp();
    const text = await scrape();
    assert.doesNotMatch(text, /kiam_metadata_responses_total\{/);
    assert.doesNotMatch(text, /kiam_metadata_handler_latency_seconds_count\{/);
  });

  it("counts under kiam's names and labels", async () => {
    const { meter, scrape } = setUp();
    meter.record('credentials', 200, 0.0005);
    meter.record('credentials', 200, 0.003);
    meter.record('credentials', 403, 0.001);
    meter.record('roleName', 404, 0.8);
    const text = await scrape();
    for (const line of [
      'kiam_metadata_responses_total{handler="credentials",code="200"} 2',
      'kiam_metadata_responses_total{handler="credentials",code="403"} 1',
      'kiam_metadata_responses_total{handler="roleName",code="404"} 1',
      'kiam_metadata_success_total{handler="credentials"} 2',
      'kiam_metadata_handler_latency_seconds_count{handler="credentials"} 3',
      'kiam_metadata_handler_latency_seconds_bucket{le="0.001",handler="credentials"} 2',
      'kiam_metadata_handler_latency_seconds_bucket{le="0.002",handler="credentials"} 2',
      'kiam_metadata_handler_latency_seconds_bucket{le="0.004",handler="credentials"} 3',
      'kiam_metadata_handler_latency_seconds_bucket{le="+Inf",handler="roleName"} 1',
      'kiam_metadata_handler_latency_seconds_bucket{le="0.512",handler="roleName"} 0',
      'kiam_metadata_handler_latency_seconds_bucket{le="1.024",handler="roleName"} 1',
      'kiam_metadata_handler_latency_seconds_sum{handler="roleName"} 0.8',
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
    assert.doesNotMatch(text, /kiam_metadata_success_total\{handler="roleName"\}/);
  });

  it("counts under kube2iam's names and labels, too", async () => {
    const metrics = createMetrics({ process: 'standalone' });
    const meter = createMeter(metrics);
    meter.record('credentials', 200, 0.003);
    meter.record('credentials', 403, 0.001);
    meter.record('token', 200, 0.001);
    meter.record('ping', 200, 0.001);
    const text = await metrics.registry.metrics();
    const name = 'kube2iam_http_request_duration_seconds';
    for (const line of [
      `${name}_count{code="200",method="GET",handler="roleHandler"} 1`,
      `${name}_sum{code="200",method="GET",handler="roleHandler"} 0.003`,
      `${name}_bucket{le="0.001",code="403",method="GET",handler="roleHandler"} 1`,
      `${name}_count{code="200",method="PUT",handler="reverseProxyHandler"} 1`,
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
    assert.equal(text.match(new RegExp(`^${name}_count`, 'gm'))?.length, 3);
    assert.doesNotMatch(await createMetrics({ process: 'agent' }).registry.metrics(), /kube2iam/);
  });

  it('puts what takes longer than all buckets into the last', async () => {
    const { meter, scrape } = setUp();
    meter.record('proxy', 502, 60);
    const text = await scrape();
    assert.match(text, /latency_seconds_bucket\{le="4.096",handler="proxy"\} 0/);
    assert.match(text, /latency_seconds_bucket\{le="\+Inf",handler="proxy"\} 1/);
  });

  it('counts mishaps by handler', async () => {
    const { meter, scrape } = setUp();
    meter.mishap('roleName', 'find-role');
    meter.mishap('roleName', 'find-role');
    meter.mishap('token', 'find-role');
    meter.mishap('roleName', 'empty-role');
    meter.mishap('credentials', 'credentials');
    const text = await scrape();
    for (const line of [
      'kiam_metadata_find_role_errors_total{handler="roleName"} 2',
      'kiam_metadata_find_role_errors_total{handler="token"} 1',
      'kiam_metadata_empty_role_total{handler="roleName"} 1',
      'kiam_metadata_credential_fetch_errors_total{handler="credentials"} 1',
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
  });

  it('adds up, however often it is scraped in between', async () => {
    const request = fc.record({
      handler: fc.constantFrom(...handlers),
      status: fc.constantFrom(200, 401, 403, 404, 503),
      scrape: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 30 }), async (requests) => {
        const { meter, scrape } = setUp();
        for (const { handler, status, scrape: now } of requests) {
          meter.record(handler, status, 0.001);
          if (now) await scrape();
        }
        const text = await scrape();
        for (const handler of handlers) {
          for (const status of [200, 401, 403, 404, 503]) {
            const count = requests.filter(
              (each) => each.handler === handler && each.status === status,
            ).length;
            const line = `kiam_metadata_responses_total{handler="${handler}",code="${status}"} ${count}\n`;
            assert.equal(text.includes(line), count > 0, line);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});
