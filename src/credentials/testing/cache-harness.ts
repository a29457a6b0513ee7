import { createFakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom } from '../../base/random.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import type { SessionIdentity, SessionLease, SessionState } from '../session.ts';
import { createSessionCache, type SessionCacheOptions } from '../session-cache.ts';
import { createScriptedBackend, type ScriptedBackendOptions } from './scripted-backend.ts';

export interface HarnessOptions extends Omit<ScriptedBackendOptions, 'clock'> {
  readonly seed?: number;
  readonly cache?: Partial<SessionCacheOptions>;
  readonly level?: 'debug' | 'info';
}

/** A session cache on a fake clock, before a scripted STS. */
export function createCacheHarness({
  seed = 1,
  cache: overrides,
  level = 'info',
  ...script
}: HarnessOptions = {}) {
  const clock = createFakeClock();
  const backend = createScriptedBackend({ clock, ...script });
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level, json: true, clock, write: (line) => lines.push(JSON.parse(line)) });
  const cache = createSessionCache({
    backend,
    clock,
    random: createSeededRandom(seed),
    logger,
    metrics,
    ...overrides,
  });

  /** A lease with the states that its listener was told. */
  function acquire(identity: SessionIdentity): SessionLease & { readonly told: SessionState[] } {
    const told: SessionState[] = [];
    const lease = cache.acquire(identity, (state) => told.push(state));
    return {
      told,
      get state() {
        return lease.state;
      },
      release: () => lease.release(),
    };
  }

  /** The value of a metric without labels, or the sum over its labels. */
  async function metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const found = (await metrics.registry.getMetricsAsJSON()).find((entry) => entry.name === name);
    return (found?.values ?? [])
      .filter((value) =>
        Object.entries(labels).every(([key, text]) => `${value.labels[key as never]}` === text),
      )
      .reduce((sum, value) => sum + value.value, 0);
  }

  return { clock, backend, cache, acquire, metric, lines };
}

/** The n-th role of an account. */
export function identityOf(number: number, account = '123456789012'): SessionIdentity {
  return { roleArn: `arn:aws:iam::${account}:role/role-${number}`, sessionName: 'kiam-kiam' };
}
