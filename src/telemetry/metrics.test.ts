import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MetricDefinition, metricCatalogue } from './metric-catalogue.ts';
import { createMetrics } from './metrics.ts';

const definitions: [string, MetricDefinition][] = Object.entries(metricCatalogue);

describe('metric catalogue', () => {
  it('has each name once', () => {
    const names = definitions.map(([, { name }]) => name);
    assert.equal(new Set(names).size, names.length);
  });

  for (const [key, { name, kind, help }] of definitions) {
    it(`names ${key} by Prometheus' rules`, () => {
      assert.match(name, /^(kiam|podpass)_[a-zA-Z_]+$/);
      // kiam's own names are kept as they are, whatever their shape.
      if (name.startsWith('podpass_') && kind === 'counter') {
        assert.match(name, /_total$/);
      }
      if (kind === 'histogram') assert.match(name, /_seconds$/);
      assert.match(help, /^[A-Z].*\.$/);
    });
  }
});

describe('metrics', () => {
  it('reports every metric of the catalogue under its name', async () => {
    const text = await createMetrics().registry.metrics();
    for (const [, { name, kind, help }] of definitions) {
      assert.ok(text.includes(`# HELP ${name} ${help}`), name);
      assert.ok(text.includes(`# TYPE ${name} ${kind}`), name);
    }
  });

  it('keeps the counts of two processes apart', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.stsOutcomes.inc({ outcome: 'issued' });
    assert.match(await one.registry.metrics(), /podpass_sts_calls_total\{outcome="issued"\} 1/);
    assert.doesNotMatch(await other.registry.metrics(), /outcome="issued"/);
  });
});
