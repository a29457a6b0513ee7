import type { Clock } from '../base/clock.ts';

/**
 * Says at most once in `everyMillis` that something is due, and how often it was asked since it last was: for log
 * lines that a hostile or broken peer could otherwise cause without end.
 */
export function createOccasion(
  clock: Clock,
  everyMillis: number,
): () => { readonly since: number } | undefined {
  let last: number | undefined;
  let count = 0;
  return () => {
    count += 1;
    const now = clock.monotonic();
    if (last !== undefined && now - last < everyMillis) return undefined;
    last = now;
    const since = count;
    count = 0;
    return { since };
  };
}
