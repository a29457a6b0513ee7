import { bytesOf, type FuzzTarget, type OpenTarget } from '../fuzz-target.ts';
import type { Feedback } from './feedback.ts';

/** No target has more files in git than this, and none is larger: what is in git is read by people. */
const mostFiles = 40;
const largestFile = 2_048;

/**
 * The few inputs that together reach what all of them reach, short ones first.
 *
 * @param inputs that hold
 */
export async function distil(
  target: FuzzTarget,
  open: OpenTarget,
  feedback: Feedback,
  inputs: readonly Uint8Array[],
  onInput: (input: Uint8Array) => void,
): Promise<readonly Uint8Array[]> {
  const { counters } = feedback;
  const reachedBy: { bytes: Uint8Array; points: number[] }[] = [];
  const run = async (bytes: Uint8Array): Promise<number[]> => {
    onInput(bytes);
    counters.fill(0);
    await open.run(bytes);
    const points: number[] = [];
    for (let i = 0; i < feedback.points; i++) if (counters[i] !== 0) points.push(i);
    return points;
  };
  // The target's seeds are replayed anyway.
  const reached = new Set<number>();
  for (const seed of target.seeds) for (const point of await run(bytesOf(seed))) reached.add(point);
  for (const bytes of inputs) {
    if (bytes.length <= largestFile) reachedBy.push({ bytes, points: await run(bytes) });
  }
  reachedBy.sort((a, b) => a.bytes.length - b.bytes.length);
  const chosen: Uint8Array[] = [];
  while (chosen.length < mostFiles) {
    let best: { bytes: Uint8Array; points: number[] } | undefined;
    let most = 0;
    for (const entry of reachedBy) {
      const fresh = entry.points.filter((point) => !reached.has(point)).length;
      if (fresh > most) [best, most] = [entry, fresh];
    }
    if (!best) break;
    chosen.push(best.bytes);
    for (const point of best.points) reached.add(point);
  }
  return chosen;
}
