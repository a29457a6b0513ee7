import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom } from '../../base/random.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts';
import type { Namespace } from '../objects.ts';
import { projectIdentity } from '../project-object.ts';
import { createReflector, type ReflectorOptions } from '../reflector.ts';
import type { Watch } from '../watch.ts';
import { createFakeCluster, type FakeCluster, type FakeClusterOptions } from './fake-cluster.ts';
import { createRecordedListener, type RecordedListener } from './recorded-listener.ts';

export const things = '/api/v1/things';

export interface WatchHarness {
  readonly clock: FakeClock;
  readonly cluster: FakeCluster;
  readonly metrics: Metrics;
  readonly watch: Watch<Namespace>;
  readonly listener: RecordedListener<Namespace>;
  /** Each line that was logged. */
  readonly log: { readonly level: string; readonly msg: string; readonly [key: string]: unknown }[];
  /** Runs the watch and lets it settle. */
  start(): Promise<void>;
  /** Ends it; fails when timers are left over. */
  stop(): Promise<void>;
  metric(name: keyof Metrics, labels?: Record<string, string>): Promise<number>;
}

export type WatchHarnessOptions = Partial<Omit<FakeClusterOptions, 'clock'>> &
  Partial<
    Pick<ReflectorOptions<Namespace>, 'project' | 'streamLists' | 'fieldSelector' | 'timeouts' | 'connection'>
  > & {
    readonly seed?: number;
  };

/** A reflector over a fake cluster on a fake clock, with everything it says written down. */
export function createWatchHarness(options: WatchHarnessOptions = {}): WatchHarness {
  const { listStreaming = 'serve', maxPage, seed = 1, ...reflectorOptions } = options;
  const clock = createFakeClock();
  const metrics = createMetrics();
  const cluster = createFakeCluster({ clock, listStreaming, ...(maxPage !== undefined && { maxPage }) });
  const log: WatchHarness['log'] = [];
  const logger = createLogger({
    level: 'debug',
    json: true,
    clock,
    write: (line) => log.push(JSON.parse(line)),
  });
  const watch = createReflector<Namespace>({
    connection: cluster.connection,
    clock,
    metrics,
    logger,
    random: createSeededRandom(seed),
    resource: { path: things, name: 'things' },
    project: (raw) => {
      const identity = projectIdentity(raw, (text) => text);
      return identity && { ...identity, annotations: {} };
    },
    ...reflectorOptions,
  });
  const listener = createRecordedListener<Namespace>();
  watch.subscribe(listener);
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  return {
    clock,
    cluster,
    metrics,
    watch,
    listener,
    log,
    async start() {
      running = watch.run(stopping.signal);
      await settle(clock);
    },
    async stop() {
      stopping.abort(new Error('the test is over'));
      await running;
      if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
    },
    async metric(name, labels = {}) {
      const instrument = metrics[name] as { get(): Promise<{ values: { value: number; labels: object }[] }> };
      const { values } = await instrument.get();
      const wanted = Object.entries({ resource: 'things', ...labels });
      const hit = values.find((value) =>
        wanted.every(([key, label]) => (value.labels as Record<string, unknown>)[key] === label),
      );
      return hit?.value ?? 0;
    },
  };
}

/** Lets everything that needs no time happen: several hops of promises and turns of the event loop. */
export async function settle(clock: FakeClock): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await clock.advance(0);
}
