import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type BulkHistogram, createBulkHistogram } from './bulk-histogram.ts';
import { type MetricDefinition, metricCatalogue } from './metric-catalogue.ts';
import { addProcessMetrics } from './process-metrics.ts';

type Catalogue = typeof metricCatalogue;

type Instrument<D extends MetricDefinition> = D['kind'] extends 'counter'
  ? Counter<D['labels'][number]>
  : D['kind'] extends 'gauge'
    ? Gauge<D['labels'][number]>
    : D extends { readonly bulk: true }
      ? BulkHistogram<D['labels'][number]>
      : Histogram<D['labels'][number]>;

/** One instrument for each entry of the catalogue, under the entry's key. */
export type Metrics = { readonly [K in keyof Catalogue]: Instrument<Catalogue[K]> } & {
  /** What `/metrics` renders. */
  readonly registry: Registry;
  /**
   * Calls `fold` before values are read, for counts that are kept elsewhere in a cheaper form. It may be called more
   * than once for each scrape.
   */
  readonly beforeScrape: (fold: () => void) => void;
};

export interface MetricsOptions {
  readonly processMetrics?: boolean;
  /** Which process this is. Default: one that reports everything. */
  readonly process?: 'agent' | 'server' | 'standalone';
}

/**
 * Makes the instruments of one process. Each call has a registry of its own: nothing is global, so a test or a
 * simulation may hold many.
 *
 * @example
 * ```ts
 * const metrics = createMetrics();
 * metrics.stsOutcomes.inc({ outcome: 'issued' });
 * await metrics.registry.metrics(); // Prometheus text
 * ```
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const folds: (() => void)[] = [];
  const foldAll = () => {
    for (const fold of folds) fold();
  };
  const elsewhere = new Registry();
  function registryFor({ exclusive, process }: MetricDefinition): Registry {
    return exclusive && options.process !== undefined && options.process !== process ? elsewhere : registry;
  }
  const instruments = Object.fromEntries(
    Object.entries(metricCatalogue).map(([key, definition]) => [
      key,
      createInstrument(definition, registryFor(definition), foldAll),
    ]),
  );
  if (options.processMetrics) addProcessMetrics(registry);
  const beforeScrape = (fold: () => void) => folds.push(fold);
  return { ...instruments, registry, beforeScrape } as unknown as Metrics;
}

function createInstrument(
  definition: MetricDefinition,
  registry: Registry,
  collect: () => void,
): Counter | Gauge | Histogram | BulkHistogram {
  const common = {
    name: definition.name,
    help: definition.help,
    labelNames: [...definition.labels],
    registers: [registry],
    collect,
  };
  switch (definition.kind) {
    case 'counter':
      return new Counter(common);
    case 'gauge':
      return new Gauge(common);
    case 'histogram':
      if (definition.bulk) {
        const { histogram, metric } = createBulkHistogram(definition);
        registry.registerMetric(metric);
        return histogram;
      }
      return new Histogram({ ...common, buckets: [...(definition.buckets ?? [])] });
  }
}
