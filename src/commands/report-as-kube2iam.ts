import type { Clock } from '../base/clock.ts';
import type { Answer, Broker } from '../broker/broker.ts';
import type { AssumeRoleOutcome, StsBackend } from '../credentials/session.ts';
import { createBoundedLabel } from '../telemetry/bounded-label.ts';
import type { Health } from '../telemetry/health.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { version } from './version.ts';

export interface ReportAsKube2iamOptions {
  readonly metrics: Metrics;
  readonly health: Health;
  readonly clock: Clock;
}

/** kube2iam's names for what happens, beside ours: its dashboards and alerts go on working. */
export interface Kube2iamReport {
  /** The same backend, whose calls are counted. */
  readonly countCalls: <B extends StsBackend>(backend: B) => B;
  /** The same broker, whose answers are counted. */
  readonly countAnswers: (broker: Broker) => Broker;
}

/** Annotations choose them. A node has 110 pods as a rule. */
const mostRoles = 200;
const mostCodes = 50;

export function reportAsKube2iam({ metrics, health, clock }: ReportAsKube2iamOptions): Kube2iamReport {
  const roleLabel = createBoundedLabel(mostRoles);
  const codeLabel = createBoundedLabel(mostCodes);
  /** Since the last scrape, by role: on the hot path nothing is done but an addition. */
  const served = new Map<string, number>();

  metrics.kube2iamInfo.set({ version, build_date: '', commit_hash: '' }, 1);
  metrics.beforeScrape(() => {
    metrics.kube2iamHealth.set(health.report('live').ok ? 1 : 0);
    for (const [arn, count] of served) metrics.kube2iamCacheHits.inc({ role_arn: roleLabel(arn) }, count);
    served.clear();
  });

  function count(answer: Answer): Answer {
    if (answer.kind === 'credentials') {
      const { arn } = answer.role;
      served.set(arn, (served.get(arn) ?? 0) + 1);
    }
    return answer;
  }

  return {
    countCalls: (backend) => ({
      ...backend,
      async assumeRole(identity, signal) {
        const started = clock.monotonic();
        const outcome = await backend.assumeRole(identity, signal);
        const labels = { code: codeLabel(codeOf(outcome)), role_arn: roleLabel(identity.roleArn) };
        metrics.kube2iamCalls.observe(labels, (clock.monotonic() - started) / 1_000);
        return outcome;
      },
    }),
    countAnswers: (broker) => ({
      ask: (address) => count(broker.ask(address)),
      async askPatiently(address, options) {
        const answer = await broker.askPatiently(address, options);
        if (answer.kind === 'unknown') metrics.kube2iamUnknownPods.inc();
        return answer;
      },
    }),
  };
}

function codeOf(outcome: AssumeRoleOutcome): string {
  return outcome.kind === 'issued' ? 'Success' : outcome.code || 'UnknownError';
}
