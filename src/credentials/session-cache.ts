import type { Clock, Timer } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type CachedSession, createCachedSession } from './cached-session.ts';
import { createCallQueue } from './call-queue.ts';
import { watchClockSteps } from './clock-steps.ts';
import type { SessionCache, SessionLease, SessionState, StsBackend } from './session.ts';
import { sessionKey } from './session-key.ts';

export interface SessionCacheOptions {
  readonly backend: StsBackend;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Credentials are refreshed before less than this is left of them, or before half of them is over. Default 0. */
  readonly refreshMillis?: number;
  /** The bound of one call of STS. Default 10 s. */
  readonly callTimeoutMillis?: number;
  /** How long a session is kept after its last lease, so that a pod that is recreated finds it. Default 1 min. */
  readonly lingerMillis?: number;
  /** Calls of STS a second for each account. Default 50, where AWS allows 600 to all callers together. */
  readonly callsPerSecond?: number;
  /** Calls of STS for each account at once after a quiet time. Default 100. */
  readonly burst?: number;
  /** Calls of STS under way at the same time. Default 32. */
  readonly maxConcurrent?: number;
}

interface Entry {
  readonly session: CachedSession;
  leases: number;
  linger?: Timer;
  /** Nobody wanted it for as long as it lingers; it goes as soon as no call is under way. */
  over: boolean;
}

/**
 * Makes the sessions of one process. However many acquire an identity, STS is called once for all of them, and the
 * call ends by its own bound or by `close`, never because one of them went away.
 *
 * - Credentials are refreshed before half of their lifetime is over, each at a point of its own.
 * - A refresh that fails leaves the old credentials in place, with the `problem`, and is repeated with back-off. That
 *   holds for a refusal too: what AWS issued stays valid at AWS, whatever the trust policy says since, so
 *   withholding it would protect nothing. When less than a minute is left the state becomes what STS said last.
 * - `refused` is remembered and retried after 10 s, then ever more rarely up to 10 min.
 * - First fetches go before refreshes, within a budget for each account that shrinks while STS throttles.
 *
 * @example
 * ```ts
 * const cache = createSessionCache({ backend, clock, random, logger, metrics });
 * const lease = cache.acquire({ roleArn, sessionName: 'kiam-kiam' }, (state) => console.log(state.kind));
 * lease.state; // { kind: 'pending' }
 * ```
 */
export function createSessionCache(options: SessionCacheOptions): SessionCache {
  const { clock, logger, metrics } = options;
  const { callTimeoutMillis = 10_000, lingerMillis = 60_000, refreshMillis = 0 } = options;
  const { callsPerSecond = 50, burst = 100, maxConcurrent = 32 } = options;
  const shutdown = new AbortController();
  const queue = createCallQueue({ clock, callsPerSecond, burst, maxConcurrent });
  const context = {
    ...options,
    callTimeoutMillis,
    refreshMillis,
    queue,
    shutdown: shutdown.signal,
    onJudged: () => clockWatch.look(),
  };
  const entries = new Map<string, Entry>();
  const clockWatch = watchClockSteps(clock, () => {
    logger.warn({}, 'the clock was set; looking at the expiry of all credentials again');
    for (const { session } of entries.values()) session.reconsider();
  });

  function forget(key: string, entry: Entry): void {
    // A call under way is waited for: an identity never has two.
    if (!entry.over || entry.session.calling) return;
    entry.session.close();
    entries.delete(key);
    metrics.stsCacheSize.set(entries.size);
  }

  return {
    acquire(identity, onChange) {
      const key = sessionKey(identity);
      const entry: Entry = entries.get(key) ?? {
        session: createCachedSession(identity, context, () => forget(key, entry)),
        leases: 0,
        over: false,
      };
      const { session } = entry;
      if (shutdown.signal.aborted) {
        session.close();
      } else {
        entries.set(key, entry);
        metrics.stsCacheSize.set(entries.size);
      }
      entry.linger?.cancel();
      entry.over = false;
      entry.leases += 1;
      const unsubscribe = session.subscribe(onChange);
      (session.state.kind === 'issued' ? metrics.stsCacheHits : metrics.stsCacheMisses).inc();
      return new Lease(session, () => {
        unsubscribe();
        entry.leases -= 1;
        if (entry.leases > 0 || shutdown.signal.aborted) return;
        entry.linger = clock.setTimer(lingerMillis, () => {
          entry.over = true;
          forget(key, entry);
        });
      });
    },
    close() {
      clockWatch.stop();
      queue.close();
      for (const entry of entries.values()) {
        entry.linger?.cancel();
        entry.session.close();
      }
      entries.clear();
      metrics.stsCacheSize.set(0);
      shutdown.abort(new DOMException('the session cache was closed', 'AbortError'));
    },
  };
}

/** A class, because every pod has one, and V8 keeps an object literal with a getter as a hash table of 250 bytes. */
class Lease implements SessionLease {
  readonly #session: CachedSession;
  #release: (() => void) | undefined;

  constructor(session: CachedSession, release: () => void) {
    this.#session = session;
    this.#release = release;
  }

  get state(): SessionState {
    return this.#session.state;
  }

  release(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }
}
