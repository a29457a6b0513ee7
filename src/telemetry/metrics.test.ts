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
      assert.match(name, /^(kiam|podpass|grpc_server|grpc_client)_[a-zA-Z0-9_]+$/);
      // kiam's own names are kept as they are, whatever their shape.
      if (name.startsWith('podpass_') && kind === 'counter') {
        assert.match(name, /_total$/);
      }
      if (kind === 'histogram') assert.match(name, /_seconds$/);
      assert.match(help, /^[A-Z].*\.$/);
    });
  }
});

/** kiam 4.2's own, with their labels, and go-grpc-prometheus' as it uses them. */
const ofKiam: readonly (readonly [name: string, kind: MetricDefinition['kind'], labels: string])[] = [
  ['kiam_metadata_handler_latency_seconds', 'histogram', 'handler'],
  ['kiam_metadata_credential_fetch_errors_total', 'counter', 'handler'],
  ['kiam_metadata_credential_encode_errors_total', 'counter', 'handler'],
  ['kiam_metadata_find_role_errors_total', 'counter', 'handler'],
  ['kiam_metadata_empty_role_total', 'counter', 'handler'],
  ['kiam_metadata_success_total', 'counter', 'handler'],
  ['kiam_metadata_responses_total', 'counter', 'handler,code'],
  ['kiam_metadata_proxy_requests_blocked_total', 'counter', ''],
  ['kiam_sts_cacheSize', 'gauge', ''],
  ['kiam_sts_cache_hit_total', 'counter', ''],
  ['kiam_sts_cache_miss_total', 'counter', ''],
  ['kiam_sts_issuing_errors_total', 'counter', ''],
  ['kiam_sts_assumerole_timing_seconds', 'histogram', ''],
  ['kiam_sts_assumerole_current', 'gauge', ''],
  ['kiam_k8s_dropped_pods_total', 'counter', ''],
  ...(['server', 'client'] as const).flatMap((side) => [
    [`grpc_${side}_tls_certificate_update_error`, 'gauge', ''] as const,
    [`grpc_${side}_tls_certificate_verify_error`, 'gauge', ''] as const,
    [`grpc_${side}_tls_certificate_expiry_seconds`, 'gauge', ''] as const,
    [`grpc_${side}_started_total`, 'counter', 'grpc_type,grpc_service,grpc_method'] as const,
    [`grpc_${side}_handled_total`, 'counter', 'grpc_type,grpc_service,grpc_method,grpc_code'] as const,
    [`grpc_${side}_msg_received_total`, 'counter', 'grpc_type,grpc_service,grpc_method'] as const,
    [`grpc_${side}_msg_sent_total`, 'counter', 'grpc_type,grpc_service,grpc_method'] as const,
  ]),
];

describe("kiam's metrics", () => {
  for (const [name, kind, labels] of ofKiam) {
    it(`include ${name} in both processes, or in the one where kiam has it`, async () => {
      const definition = definitions.map(([, one]) => one).find((one) => one.name === name);
      assert.equal(definition?.kind, kind);
      assert.equal(definition?.labels.join(), labels);
      for (const process of ['agent', 'server'] as const) {
        const text = await createMetrics({ process }).registry.metrics();
        const isHere = !name.includes('_tls_') || (process === 'server') === name.startsWith('grpc_server');
        assert.equal(text.includes(`# TYPE ${name} ${kind}\n`), isHere, process);
      }
    });
  }

  it('are all that have names of its kind', () => {
    const names = ofKiam.map(([name]) => name);
    const ours = definitions.map(([, { name }]) => name).filter((name) => !name.startsWith('podpass_'));
    assert.deepEqual(ours.toSorted(), names.toSorted());
  });
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
