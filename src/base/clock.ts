/** A timer that has been set. Cancelling one that has fired, or twice, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time, passed in. No module reads the clock or sets a timer by itself, so that a whole cluster can be
 * simulated on a clock of its own (`fake-clock.ts`).
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. It may step; use it only against times that others gave us. */
  now(): number;
  /** Milliseconds from an arbitrary origin that never go back. For measuring and for deadlines. */
  monotonic(): number;
  /** Calls `fn` once, `ms` milliseconds from now. A pending timer does not keep the process alive. */
  setTimer(ms: number, fn: () => void): Timer;
}

/** setTimeout overflows above this and fires at once. */
const longestTimeout = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(ms, fn) {
    const timeout = setTimeout(fn, Math.min(Math.max(ms, 0), longestTimeout));
    timeout.unref();
    return {
      cancel() {
        // Node keeps a list for each duration that there is a timer of. When a timer is cleared that was unref'ed, it keeps
        // the empty list until the timer would have fired: a server that plans refreshes anew with each change held
        // tens of thousands of them.
        timeout.ref();
        clearTimeout(timeout);
      },
    };
  },
};

/**
 * Waits `ms` milliseconds.
 *
 * @throws the signal's reason, as soon as it aborts.
 */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.setTimer(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
