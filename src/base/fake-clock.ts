import type { Clock, Timer } from './clock.ts';

interface Pending {
  due: number;
  order: number;
  fn: () => void;
}

/**
 * A clock that stands still until it is told to move. For tests and simulation.
 *
 * @example
 * ```ts
 * const clock = createFakeClock();
 * const done = sleep(clock, 1_000, signal);
 * await clock.advance(1_000);
 * await done;
 * ```
 */
export interface FakeClock extends Clock {
  /**
   * Moves time on by `ms`, firing due timers in order and letting what they started settle in between.
   * The promise resolves when nothing more is due.
   */
  advance(ms: number): Promise<void>;
  /** Steps the wall clock alone, as NTP or an operator would; timers do not notice. */
  step(ms: number): void;
  /** How many timers are set. A test that ends with some has leaked them. */
  readonly pending: number;
  /** Milliseconds until the next timer is due, if one is set. */
  readonly untilNext: number | undefined;
}

/** 2026-01-01T00:00:00Z, so that rendered times look like times. */
const defaultStart = 1_767_225_600_000;

export function createFakeClock(start = defaultStart): FakeClock {
  const timers = new Set<Pending>();
  let elapsed = 0;
  let stepped = 0;
  let order = 0;

  function next(): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of timers) {
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order))
        first = timer;
    }
    return first;
  }

  return {
    now: () => start + elapsed + stepped,
    monotonic: () => elapsed,
    setTimer(ms, fn): Timer {
      const timer = { due: elapsed + Math.max(ms, 0), order: order++, fn };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
    async advance(ms) {
      const target = elapsed + ms;
      await settle();
      for (let timer = next(); timer && timer.due <= target; timer = next()) {
        elapsed = Math.max(elapsed, timer.due);
        timers.delete(timer);
        timer.fn();
        await settle();
      }
      elapsed = target;
    },
    step(ms) {
      stepped += ms;
    },
    get pending() {
      return timers.size;
    },
    get untilNext() {
      const timer = next();
      return timer ? timer.due - elapsed : undefined;
    },
  };
}

/** Lets promise chains run out: a turn of the event loop comes after all that was queued. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
