import type { Clock } from '../base/clock.ts';

const intervalMillis = 5_000;

/** NTP slews by at most 2.5 ms in an interval; anything near a second was a step. */
const toleranceMillis = 1_000;

/** Looks out for a wall clock that is set. */
export interface ClockWatch {
  /** Looks now: for whoever goes by the time of this moment, and relies on being told when it proves wrong. */
  look(): void;
  stop(): void;
}

/**
 * Calls `onStep` within 5 s after the wall clock was set forward or back, or the machine slept. Timers follow the
 * monotonic clock and do not notice; whoever compares with times that others gave must look again. A clock that is set
 * and set right again within 5 s is noticed only if somebody has a look in between.
 */
export function watchClockSteps(clock: Clock, onStep: () => void): ClockWatch {
  let offset = clock.now() - clock.monotonic();
  let timer = clock.setTimer(intervalMillis, check);

  function check(): void {
    timer = clock.setTimer(intervalMillis, check);
    look();
  }

  function look(): void {
    const current = clock.now() - clock.monotonic();
    const stepped = Math.abs(current - offset) > toleranceMillis;
    offset = current;
    if (stepped) onStep();
  }

  return { look, stop: () => timer.cancel() };
}
