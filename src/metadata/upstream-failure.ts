import type { Clock } from '../base/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Why the real metadata service could not be read. Values of a metric's label. */
export const failureReasons = [
  'unreachable',
  'broken-off',
  'timeout',
  'not-http',
  'no-token',
  'status',
  'too-long',
  'busy',
] as const;
export type FailureReason = (typeof failureReasons)[number];

export interface UpstreamFailure {
  readonly kind: 'failed';
  readonly reason: FailureReason;
  /** For a person; made of our own words and of Node's. */
  readonly problem: string;
}

export interface FailureReport {
  /** Counts a failure, and writes it down unless one of its reason was written down lately. */
  tell(failure: UpstreamFailure): void;
}

/** A failure of one reason is logged once in this time. Milliseconds. */
const quiet = 60_000;

/** What a pod does in a loop must not fill the log: each reason has one line a minute, which says how many it is for. */
export function createFailureReport(metrics: Metrics, logger: Logger, clock: Clock): FailureReport {
  const told = new Map<FailureReason, { at: number; since: number }>();
  return {
    tell({ reason, problem }) {
      metrics.metadataUpstreamFailures.inc({ reason });
      const now = clock.monotonic();
      const last = told.get(reason);
      if (last !== undefined && now - last.at < quiet) {
        last.since += 1;
        return;
      }
      told.set(reason, { at: now, since: 0 });
      const suppressed = last?.since ? { suppressed: last.since } : {};
      logger.warn(
        { reason, problem, ...suppressed },
        'the metadata service of the node cannot be read; pods that ask for what --allow-route-regexp allows are answered 502 or 503',
      );
    },
  };
}
