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

/** What became of the requests of one handler that were answered with one status. */
interface Column {
  readonly status: number;
  /** By latency bucket, the last for what is above all bounds. */
  readonly buckets: Float64Array;
  seconds: number;
  /** Not yet in the counters. */
  fresh: number;
}

interface Row {
  readonly handler: Handler;
  /** By status; made when the first answer has it. */
  readonly columns: (Column | undefined)[];
  readonly mishaps: Record<Mishap, number>;
  /** Something was counted since the last fold: there are many instruments, and each calls for the fold. */
  stale: boolean;
}

/** kube2iam's names, for what it had. Of methods it saw others too; here a HEAD counts as a GET. */
const kube2iamLabels: Readonly<Partial<Record<Handler, { method: string; handler: string }>>> = {
  roleName: { method: 'GET', handler: 'securityCredentialsHandler' },
  credentials: { method: 'GET', handler: 'roleHandler' },
  health: { method: 'GET', handler: 'healthHandler' },
  proxy: { method: 'GET', handler: 'reverseProxyHandler' },
  token: { method: 'PUT', handler: 'reverseProxyHandler' },
};

/** Counts in plain arrays, which the instruments of `metrics` read when they are scraped. */
export function createMeter(metrics: Metrics): Meter {
  const bounds = metrics.metadataLatency.buckets;
  const newRow = (handler: Handler): Row => ({
    handler,
    columns: [],
    mishaps: { 'find-role': 0, 'empty-role': 0, credentials: 0 },
    stale: false,
  });
  const newColumn = (status: number): Column => ({
    status,
    buckets: new Float64Array(bounds.length + 1),
    seconds: 0,
    fresh: 0,
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
      .filter(({ columns }) => columns.some((column) => column !== undefined))
      .map(({ handler, columns }) => ({ labels: { handler }, ...sumOf(columns, bounds.length + 1) })),
  );
  metrics.kube2iamRequests.readFrom(() =>
    Object.values(rows).flatMap(({ handler, columns }) => {
      const labels = kube2iamLabels[handler];
      if (labels === undefined) return [];
      return columns.flatMap((column) =>
        column === undefined
          ? []
          : [
              {
                labels: { code: String(column.status), ...labels },
                counts: column.buckets,
                sum: column.seconds,
              },
            ],
      );
    }),
  );
  metrics.beforeScrape(() => {
    for (const row of Object.values(rows)) fold(row);
  });

  /** Moves what was counted since the last scrape into the instruments. */
  function fold(row: Row): void {
    if (!row.stale) return;
    row.stale = false;
    const { handler, columns, mishaps: counts } = row;
    for (const column of columns) {
      if (column === undefined || column.fresh === 0) continue;
      const { status, fresh } = column;
      column.fresh = 0;
      metrics.metadataResponses.inc({ handler, code: String(status) }, fresh);
      if (status === 200) metrics.metadataSuccess.inc({ handler }, fresh);
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
      let column = row.columns[status];
      if (column === undefined) {
        column = newColumn(status);
        row.columns[status] = column;
      }
      column.buckets[bucket] = (column.buckets[bucket] ?? 0) + 1;
      column.seconds += seconds;
      column.fresh += 1;
      row.stale = true;
    },
    mishap(handler, mishap) {
      rows[handler].mishaps[mishap] += 1;
      rows[handler].stale = true;
    },
  };
}

function sumOf(
  columns: readonly (Column | undefined)[],
  buckets: number,
): { counts: Float64Array; sum: number } {
  const counts = new Float64Array(buckets);
  let sum = 0;
  for (const column of columns) {
    if (column === undefined) continue;
    for (const [bucket, count] of column.buckets.entries()) counts[bucket] = (counts[bucket] ?? 0) + count;
    sum += column.seconds;
  }
  return { counts, sum };
}
