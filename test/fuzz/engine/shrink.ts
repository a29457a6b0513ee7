import type { Failure, RunInput } from './run-input.ts';

/**
 * Makes a failing input smaller as long as it fails: takes out pieces, large ones first. It may end with another
 * failure than it began with, which is as good.
 *
 * @param goOn whether there is time left
 */
export async function shrink(failure: Failure, runInput: RunInput, goOn: () => boolean): Promise<Failure> {
  let best = failure;
  let size = Math.ceil(best.input.length / 2);
  while (size >= 1) {
    let removed = false;
    for (let at = 0; at < best.input.length; ) {
      if (!goOn()) return best;
      const { input } = best;
      const shorter = Buffer.concat([input.subarray(0, at), input.subarray(at + size)]);
      const again = await runInput(Uint8Array.from(shorter));
      if (again) {
        best = again;
        removed = true;
      } else at += size;
    }
    if (size === 1 && !removed) break;
    size = Math.ceil(size / 2);
  }
  return best;
}
