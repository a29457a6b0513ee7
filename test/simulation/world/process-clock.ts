import type { Clock, Timer } from '../../../src/base/clock.ts';
import type { FakeClock } from '../../../src/base/fake-clock.ts';

/** The clock of one process: it may be set, and stops with the process. */
export interface ProcessClock extends Clock {
  /** Sets the wall clock on by so many milliseconds, or back. */
  step(millis: number): void;
  /** No timer of it fires any more. */
  stop(): void;
}

/** A clock that shows the time of the world, and what it was set wrong by. */
export function createProcessClock(world: FakeClock): ProcessClock {
  let offset = 0;
  let isStopped = false;
  const timers = new Set<Timer>();
  return {
    now: () => Math.floor(world.now() + offset),
    monotonic: () => world.monotonic(),
    setTimer(ms, fn) {
      if (isStopped) return { cancel: () => {} };
      const timer = world.setTimer(ms, () => {
        timers.delete(timer);
        fn();
      });
      timers.add(timer);
      return {
        cancel() {
          timers.delete(timer);
          timer.cancel();
        },
      };
    },
    step(millis) {
      offset += millis;
    },
    stop() {
      isStopped = true;
      for (const timer of timers) timer.cancel();
      timers.clear();
    },
  };
}
