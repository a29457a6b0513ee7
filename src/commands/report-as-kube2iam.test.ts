import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import type { Answer, Broker } from '../broker/broker.ts';
import type { AssumeRoleOutcome, StsBackend } from '../credentials/session.ts';
import { createHealth } from '../telemetry/health.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { reportAsKube2iam } from './report-as-kube2iam.ts';

const { signal } = new AbortController();
const caller = { uid: 'u', namespace: 'team', name: 'reader' };
const credentials = {
  accessKeyId: 'ASIA',
  secretAccessKey: 's',
  sessionToken: 't',
  expiration: 1,
  issuedAt: 0,
  goodUntil: 1_000,
};

function setUp() {
  const clock = createFakeClock();
  const metrics = createMetrics({ process: 'standalone' });
  const health = createHealth();
  let isLive = true;
  health.add('live', 'process', () => ({ ok: isLive, message: '' }));
  const report = reportAsKube2iam({ metrics, health, clock });
  return {
    clock,
    report,
    fail: () => {
      isLive = false;
    },
    async lines(name: string) {
      const text = await metrics.registry.metrics();
      return text.split('\n').filter((line) => line.startsWith(name) && !line.includes('_bucket'));
    },
  };
}

function roleArn(number: number): string {
  return `arn:aws:iam::123456789012:role/r${number}`;
}

describe('reportAsKube2iam', () => {
  it('counts calls of STS by their code and role', async () => {
    const { clock, report, lines } = setUp();
    let outcome: AssumeRoleOutcome = { kind: 'issued', credentials };
    const backend = report.countCalls<StsBackend>({
      async assumeRole() {
        await clock.advance(250);
        return outcome;
      },
    });
    await backend.assumeRole({ roleArn: roleArn(1), sessionName: 's' }, signal);
    outcome = { kind: 'refused', code: 'AccessDenied', message: 'no' };
    await backend.assumeRole({ roleArn: roleArn(1), sessionName: 's' }, signal);
    assert.deepEqual(await lines('kube2iam_iam_request_duration_seconds'), [
      `kube2iam_iam_request_duration_seconds_sum{code="Success",role_arn="${roleArn(1)}"} 0.25`,
      `kube2iam_iam_request_duration_seconds_count{code="Success",role_arn="${roleArn(1)}"} 1`,
      `kube2iam_iam_request_duration_seconds_sum{code="AccessDenied",role_arn="${roleArn(1)}"} 0.25`,
      `kube2iam_iam_request_duration_seconds_count{code="AccessDenied",role_arn="${roleArn(1)}"} 1`,
    ]);
  });

  it('counts credentials from memory by role, of which there is a bounded number', async () => {
    const { report, lines } = setUp();
    let arn = roleArn(0);
    const broker: Broker = {
      ask: (): Answer => ({ kind: 'credentials', caller, role: { name: 'r', arn }, credentials }),
      askPatiently: async (address): Promise<Answer> => ({ kind: 'unknown', address }),
    };
    const counted = report.countAnswers(broker);
    for (let number = 0; number < 1_000; number++) {
      arn = roleArn(number);
      assert.equal(counted.ask('10.0.0.1').kind, 'credentials');
    }
    const found = await lines('kube2iam_iam_cache_hits_total');
    assert.equal(found.length, 201);
    assert.ok(found.includes('kube2iam_iam_cache_hits_total{role_arn="other"} 800'));
    assert.deepEqual(await lines('kube2iam_iam_cache_hits_total'), found);
  });

  it('counts requests whose pod is not known in the end', async () => {
    const { report, lines } = setUp();
    const unknown: Answer = { kind: 'unknown', address: '10.0.0.1' };
    const broker = report.countAnswers({ ask: () => unknown, askPatiently: async () => unknown });
    await broker.askPatiently('10.0.0.1', { waitMillis: 1, signal });
    assert.deepEqual(await lines('kube2iam_iam_k8s_pod_not_in_pod_cache'), [
      'kube2iam_iam_k8s_pod_not_in_pod_cache 1',
    ]);
  });

  it('tells whether the process is well, and its version', async () => {
    const { fail, lines } = setUp();
    assert.deepEqual(await lines('kube2iam_healthcheck_status'), ['kube2iam_healthcheck_status 1']);
    fail();
    assert.deepEqual(await lines('kube2iam_healthcheck_status'), ['kube2iam_healthcheck_status 0']);
    const [info = ''] = await lines('kube2iam_info');
    assert.match(info, /^kube2iam_info\{version="[\d.]+",build_date="",commit_hash=""\} 1$/);
  });
});
