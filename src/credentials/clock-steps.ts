import type { Clock } from '../base/clock.ts';

const intervalMillis = 5_000;

/** NTP slews by at most 2.5 ms in an interval; anything near a second was a step. */
const toleranceMillis = 1_000;

/**
 * Calls `onStep` within 5 s after the wall clock was set forward or back, or the machine slept. Timers follow the
 * monotonic clock and do not notice; whoever compares with times that others gave must look again.
 *
 * @returns a function that stops watching.
 */
export function watchClockSteps(clock: Clock, onStep: () => void): () => void {
  let offset = clock.now() - clock.monotonic();
  let timer = clock.setTimer(intervalMillis, check);

  function check(): void {
    timer = clock.setTimer(intervalMillis, check);
    const current = clock.now() - clock.monotonic();
    const stepped = Math.abs(current - offset) > toleranceMillis;
    offset = current;
    if (stepped) onStep();
  }

  return () => timer.cancel();
}
