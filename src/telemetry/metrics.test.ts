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
      assert.match(name, /^(kiam|kube2iam|podpass|grpc_server|grpc_client)_[a-zA-Z0-9_]+$/);
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
    const ours = definitions.map(([, { name }]) => name).filter((name) => !/^(podpass|kube2iam)_/.test(name));
    assert.deepEqual(ours.toSorted(), names.toSorted());
  });
});

/** kube2iam 0.15's own, with their labels. */
const ofKube2iam: readonly (readonly [name: string, kind: string, labels: string])[] = [
  ['kube2iam_iam_request_duration_seconds', 'histogram', 'code,role_arn'],
  ['kube2iam_iam_cache_hits_total', 'counter', 'role_arn'],
  ['kube2iam_iam_k8s_dup_req_count', 'counter', ''],
  ['kube2iam_iam_k8s_dup_req_success_count', 'counter', ''],
  ['kube2iam_iam_k8s_pod_not_in_pod_cache', 'counter', ''],
  ['kube2iam_http_request_duration_seconds', 'histogram', 'code,method,handler'],
  ['kube2iam_healthcheck_status', 'gauge', ''],
  ['kube2iam_info', 'gauge', 'version,build_date,commit_hash'],
];

describe("kube2iam's metrics", () => {
  it('are all there, of a standalone node alone', async () => {
    const ours = definitions.map(([, one]) => one).filter(({ name }) => name.startsWith('kube2iam_'));
    assert.deepEqual(
      ours.map(({ name, kind, labels }) => [name, kind, labels.join()]).toSorted(),
      ofKube2iam.toSorted(),
    );
    for (const process of ['agent', 'server'] as const)
      assert.doesNotMatch(await createMetrics({ process }).registry.metrics(), /kube2iam_/);
    assert.doesNotMatch(
      await createMetrics({ process: 'standalone' }).registry.metrics(),
      /_tls_certificate/,
    );
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
