import type { Random } from './random.ts';

/** How the waits between tries grow. All durations in milliseconds. */
export interface BackoffOptions {
  /** The first wait. */
  readonly initial: number;
  /** No wait is longer than this. */
  readonly max: number;
  /** What each wait is multiplied by to give the next. Default 2. */
  readonly factor?: number;
}

/** Grows the wait after each failure; a success starts it afresh. */
export interface Backoff {
  /** The next wait in milliseconds: between half and all of the grown value, so that many callers spread out. */
  next(): number;
  reset(): void;
}

export function createBackoff({ initial, max, factor = 2 }: BackoffOptions, random: Random): Backoff {
  let wait = initial;
  return {
    next() {
      const current = wait;
      wait = Math.min(wait * factor, max);
      return current * (0.5 + random.next() / 2);
    },
    reset() {
      wait = initial;
    },
  };
}
