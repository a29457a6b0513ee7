import type { Clock, Timer } from '../base/clock.ts';
import type { WatchStatus } from './watch.ts';

/** Keeps the clock of how far a watch can be trusted. */
export interface Freshness {
  readonly status: WatchStatus;
  /** Something was heard on the watch, whatever it was. */
  heard(): void;
  /** The whole is known, or news of a change came: live. */
  live(): void;
  /**
   * The API server took a watch on. What was live stays live; what was stale is live when the watch has held for a
   * moment: an API server that has just started takes a watch on and then says that it has forgotten its version.
   */
  opened(): void;
  /** The watch ended. It is stale unless it is `live()` again soon: servers end watches all the time. */
  ended(): void;
  /** An attempt to get back in touch failed: stale at once. */
  failed(): void;
  /** Nothing more will be heard, because nobody listens: stops the timers. */
  stop(): void;
}

export interface FreshnessOptions {
  readonly clock: Clock;
  /** So long a watch may be between two connections before that counts as out of touch. */
  readonly graceMillis: number;
  /** The status changed. */
  readonly onStatus: (status: WatchStatus) => void;
  /** Milliseconds out of touch, 0 while in touch; told at each change and every few seconds while it grows. */
  readonly onStaleMillis: (millis: number) => void;
}

const tellStaleEveryMillis = 5_000;
const confirmMillis = 1_000;

/**
 * `stale` counts from when something was last heard, not from when the loss was noticed: of a connection that died
 * in silence nobody knows when it did, and what was true last is all that can be claimed.
 */
export function createFreshness({
  clock,
  graceMillis,
  onStatus,
  onStaleMillis,
}: FreshnessOptions): Freshness {
  let status: WatchStatus = { kind: 'syncing' };
  let lastHeard = clock.monotonic();
  /** While live: when the grace is over. While stale: when to tell again for how long. */
  let timer: Timer | undefined;
  /** While stale, with a watch: when it has held. */
  let confirming: Timer | undefined;

  function stopTimers(): void {
    timer?.cancel();
    confirming?.cancel();
    timer = undefined;
    confirming = undefined;
  }

  function turnLive(): void {
    stopTimers();
    lastHeard = clock.monotonic();
    if (status.kind === 'live') return;
    status = { kind: 'live' };
    onStatus(status);
    onStaleMillis(0);
  }

  function turnStale(): void {
    if (status.kind !== 'live') return;
    stopTimers();
    status = { kind: 'stale', since: lastHeard };
    onStatus(status);
    tellStale();
  }

  function tellStale(): void {
    onStaleMillis(clock.monotonic() - lastHeard);
    timer = clock.setTimer(tellStaleEveryMillis, tellStale);
  }

  function unconfirm(): void {
    confirming?.cancel();
    confirming = undefined;
  }

  return {
    get status() {
      return status;
    },
    heard() {
      lastHeard = clock.monotonic();
    },
    live: turnLive,
    opened() {
      if (status.kind === 'live') turnLive();
      else if (status.kind === 'stale') confirming ??= clock.setTimer(confirmMillis, turnLive);
    },
    ended() {
      unconfirm();
      if (status.kind === 'live') timer ??= clock.setTimer(graceMillis, turnStale);
    },
    failed() {
      unconfirm();
      turnStale();
    },
    stop: stopTimers,
  };
}
