import type { Histogram } from 'prom-client';
import type { MetricDefinition } from './metric-catalogue.ts';

/** What was counted under one set of labels since the process began. */
export interface Tally<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  /** One count for each bucket, not cumulative, and one more for what lies above the last bound. */
  readonly counts: ArrayLike<number>;
  /** Of all values, in the unit of the metric's name. */
  readonly sum: number;
}

/** A histogram that is not told of each value, but asks for the tallies when it is scraped. */
export interface BulkHistogram<Label extends string = string> {
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  /** Adds somebody who counts. What several give under equal labels would be reported twice: let labels differ. */
  readFrom(source: () => Iterable<Tally<Label>>): void;
}

/**
 * For paths on which `observe()` of prom-client is too dear: with labels it costs about as much as parsing a small
 * HTTP request. Counting into an array costs nothing that can be measured.
 *
 * @returns the histogram, and the metric that a registry of prom-client takes for one of its own.
 */
export function createBulkHistogram<Label extends string>(
  definition: MetricDefinition,
): { histogram: BulkHistogram<Label>; metric: Histogram } {
  const { name, help, buckets = [] } = definition;
  const sources: (() => Iterable<Tally<Label>>)[] = [];

  function valuesOf({ labels, counts, sum }: Tally<Label>) {
    let cumulative = 0;
    const values = [...buckets, '+Inf'].map((le, bucket) => {
      cumulative += counts[bucket] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: cumulative };
    });
    return [
      ...values,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: cumulative },
    ];
  }

  const metric = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: sources.flatMap((source) => [...source()].flatMap(valuesOf)),
    }),
    reset: () => {},
  };
  return {
    histogram: { buckets, readFrom: (source) => sources.push(source) },
    // A registry asks no more of a metric than this object has; the type of prom-client names its whole class.
    metric: metric as unknown as Histogram,
  };
}
