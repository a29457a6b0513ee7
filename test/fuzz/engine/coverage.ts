import type { Feedback } from './feedback.ts';

/** What of the source has been reached by the inputs so far. */
export interface Coverage {
  /**
   * Reads the counters of the execution that has just ended, and sets them back.
   *
   * @returns how many points it passed, or passed in another order of magnitude of times, as none did before
   */
  take(): number;
  /** Points passed at least once. */
  readonly reached: number;
}

/** Each point has a bit for each of these numbers of times: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, more. */
function bucketOf(times: number): number {
  if (times <= 3) return 1 << (times - 1);
  if (times <= 7) return 8;
  if (times <= 15) return 16;
  if (times <= 31) return 32;
  return times <= 127 ? 64 : 128;
}

export function createCoverage(feedback: Feedback): Coverage {
  const { counters } = feedback;
  const seen = new Uint8Array(counters.length);
  let reached = 0;
  return {
    take() {
      let found = 0;
      const end = feedback.points;
      for (let i = 0; i < end; i++) {
        const times = counters[i];
        if (times === undefined || times === 0) continue;
        counters[i] = 0;
        const known = seen[i] ?? 0;
        const bucket = bucketOf(times);
        if ((known & bucket) !== 0) continue;
        if (known === 0) reached += 1;
        seen[i] = known | bucket;
        found += 1;
      }
      return found;
    },
    get reached() {
      return reached;
    },
  };
}
