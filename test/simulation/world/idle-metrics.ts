import type { Metrics } from '../../../src/telemetry/metrics.ts';

/** Instruments that count nothing: a simulation starts thousands of processes, and nobody scrapes them. */
export function createIdleMetrics(): Metrics {
  const nothing = () => {};
  const instrument = {
    inc: nothing,
    dec: nothing,
    set: nothing,
    observe: nothing,
    reset: nothing,
    remove: nothing,
    readFrom: nothing,
    buckets: [1],
  };
  return new Proxy({} as Metrics, {
    get: (_target, name) => (name === 'beforeScrape' ? nothing : instrument),
  });
}
