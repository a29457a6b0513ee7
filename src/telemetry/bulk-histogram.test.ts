import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { createBulkHistogram, type Tally } from './bulk-histogram.ts';

const buckets = [0.001, 0.002, 0.004];
const definition = {
  name: 'test_latency_seconds',
  kind: 'histogram',
  help: 'Test.',
  labels: ['handler'],
  process: 'agent',
  buckets,
} as const;

type HandlerTally = Tally<'handler'>;

function render(sources: readonly (() => Iterable<HandlerTally>)[]): Promise<string> {
  const registry = new Registry();
  const { histogram, metric } = createBulkHistogram<'handler'>(definition);
  registry.registerMetric(metric);
  for (const source of sources) histogram.readFrom(source);
  return registry.metrics();
}

/** prom-client's own histogram, told of each value. */
async function renderReference(values: readonly { handler: string; value: number }[]): Promise<string> {
  const registry = new Registry();
  const { name, help } = definition;
  const reference = new Histogram({ name, help, labelNames: ['handler'], buckets, registers: [registry] });
  for (const { handler, value } of values) reference.observe({ handler }, value);
  return registry.metrics();
}

describe('createBulkHistogram', () => {
  it('is reported before anything was counted', async () => {
    const text = await render([]);
    assert.match(text, /# HELP test_latency_seconds Test\.\n# TYPE test_latency_seconds histogram/);
  });

  it('reads the tallies at each scrape', async () => {
    const counts = [0, 0, 0, 0];
    const registry = new Registry();
    const { histogram, metric } = createBulkHistogram<'handler'>(definition);
    registry.registerMetric(metric);
    histogram.readFrom(() => [{ labels: { handler: 'a' }, counts, sum: 0 }]);
    assert.match(await registry.metrics(), /_count\{handler="a"\} 0/);
    counts[2] = 5;
    assert.match(await registry.metrics(), /_count\{handler="a"\} 5/);
  });

  it('adds up its buckets, and puts what is above all bounds into the last', async () => {
    const text = await render([() => [{ labels: { handler: 'a' }, counts: [1, 2, 3, 4], sum: 9.5 }]]);
    for (const line of [
      'test_latency_seconds_bucket{le="0.001",handler="a"} 1',
      'test_latency_seconds_bucket{le="0.002",handler="a"} 3',
      'test_latency_seconds_bucket{le="0.004",handler="a"} 6',
      'test_latency_seconds_bucket{le="+Inf",handler="a"} 10',
      'test_latency_seconds_sum{handler="a"} 9.5',
      'test_latency_seconds_count{handler="a"} 10',
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
  });

  it('reports what several count', async () => {
    const source = (handler: string) => () => [{ labels: { handler }, counts: [1, 0, 0, 0], sum: 0 }];
    const text = await render([source('a'), source('b')]);
    assert.match(text, /_count\{handler="a"\} 1/);
    assert.match(text, /_count\{handler="b"\} 1/);
  });

  it("writes what prom-client's own histogram writes", async () => {
    const values = fc.record({
      handler: fc.constantFrom('roleName', 'credentials'),
      // Multiples of a power of two: their sum does not depend on the order of addition.
      value: fc.integer({ min: 0, max: 80 }).map((n) => n / 2 ** 13),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 1 }), async (observed) => {
        const tallies = new Map<string, { counts: number[]; sum: number }>();
        for (const { handler, value } of observed) {
          const tally = tallies.get(handler) ?? { counts: [0, 0, 0, 0], sum: 0 };
          tallies.set(handler, tally);
          const at = buckets.findIndex((bound) => value <= bound);
          const bucket = at < 0 ? buckets.length : at;
          tally.counts[bucket] = (tally.counts[bucket] ?? 0) + 1;
          tally.sum += value;
        }
        const mine = await render([
          () => [...tallies].map(([handler, { counts, sum }]) => ({ labels: { handler }, counts, sum })),
        ]);
        assert.equal(mine, await renderReference(observed));
      }),
      { numRuns: 50 },
    );
  });

  it('is in the JSON of the registry too', async () => {
    const registry = new Registry();
    const { histogram, metric } = createBulkHistogram<'handler'>(definition);
    registry.registerMetric(metric);
    histogram.readFrom(() => [{ labels: { handler: 'a' }, counts: [1, 0, 0, 0], sum: 0 }]);
    const [only] = await registry.getMetricsAsJSON();
    assert.equal(only?.name, 'test_latency_seconds');
    assert.equal(only?.values.length, 6);
  });
});
