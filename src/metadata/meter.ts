import type { Metrics } from '../telemetry/metrics.ts';

/**
 * Label values of `handler`. The first four are kiam's; `token` are the PUTs that kiam passed through its proxy, `ping`
 * kiam did not count, and `rejected` is what no handler was found for.
 */
export const handlers = ['roleName', 'credentials', 'health', 'proxy', 'token', 'ping', 'rejected'] as const;
export type Handler = (typeof handlers)[number];

/** What kiam counts beside statuses. */
export type Mishap = 'find-role' | 'empty-role' | 'credentials';
const mishaps = ['find-role', 'empty-role', 'credentials'] as const satisfies readonly Mishap[];

/** Counts the requests of the door. */
export interface Meter {
  /** One answer that was written. `seconds` since its request line. Costs an addition or two: no label is looked up. */
  record(handler: Handler, status: number, seconds: number): void;
  /** Why an answer was not what the client wanted. Off the hot path. */
  mishap(handler: Handler, mishap: Mishap): void;
}

interface Row {
  readonly handler: Handler;
  /** By status. */
  readonly statuses: Float64Array;
  /** By latency bucket, the last for what is above all bounds. */
  readonly buckets: Float64Array;
  readonly mishaps: Record<Mishap, number>;
  seconds: number;
  /** Something was counted since the last fold: there are many instruments, and each calls for the fold. */
  stale: boolean;
}

/** Counts in plain arrays, which the instruments of `metrics` read when they are scraped. */
export function createMeter(metrics: Metrics): Meter {
  const bounds = metrics.metadataLatency.buckets;
  const newRow = (handler: Handler): Row => ({
    handler,
    statuses: new Float64Array(600),
    buckets: new Float64Array(bounds.length + 1),
    mishaps: { 'find-role': 0, 'empty-role': 0, credentials: 0 },
    seconds: 0,
    stale: false,
  });
  const rows: Readonly<Record<Handler, Row>> = {
    roleName: newRow('roleName'),
    credentials: newRow('credentials'),
    health: newRow('health'),
    proxy: newRow('proxy'),
    token: newRow('token'),
    ping: newRow('ping'),
    rejected: newRow('rejected'),
  };
  const instruments = {
    'find-role': metrics.metadataFindRoleErrors,
    'empty-role': metrics.metadataEmptyRole,
    credentials: metrics.metadataCredentialErrors,
  };

  metrics.metadataLatency.readFrom(() =>
    Object.values(rows)
      .filter(({ buckets }) => buckets.some((count) => count > 0))
      .map(({ handler, buckets, seconds }) => ({ labels: { handler }, counts: buckets, sum: seconds })),
  );
  metrics.beforeScrape(() => {
    for (const row of Object.values(rows)) fold(row);
  });

  /** Moves what was counted since the last scrape into the instruments. */
  function fold(row: Row): void {
    if (!row.stale) return;
    row.stale = false;
    const { handler, statuses, mishaps: counts } = row;
    for (const [status, count] of statuses.entries()) {
      if (count === 0) continue;
      statuses[status] = 0;
      metrics.metadataResponses.inc({ handler, code: String(status) }, count);
      if (status === 200) metrics.metadataSuccess.inc({ handler }, count);
    }
    for (const mishap of mishaps) {
      if (counts[mishap] > 0) instruments[mishap].inc({ handler }, counts[mishap]);
      counts[mishap] = 0;
    }
  }

  return {
    record(handler, status, seconds) {
      const row = rows[handler];
      let bucket = 0;
      while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket += 1;
      row.buckets[bucket] = (row.buckets[bucket] ?? 0) + 1;
      row.statuses[status] = (row.statuses[status] ?? 0) + 1;
      row.seconds += seconds;
      row.stale = true;
    },
    mishap(handler, mishap) {
      rows[handler].mishaps[mishap] += 1;
      rows[handler].stale = true;
    },
  };
}
