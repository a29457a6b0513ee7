import { addTallies, emptyTally } from './check/tally.ts';
import { runSeeds } from './pool.ts';
import { describeTally, describeViolation, replayLine } from './report.ts';

export interface SearchOptions {
  readonly workers: number;
  readonly from: number;
  /** How many, or for how long. */
  readonly seeds?: number;
  readonly minutes?: number;
  readonly say: (text: string) => void;
}

/** After so many seeds that failed there is enough to look at. */
const mostFailed = 20;
const sayEveryMillis = 15_000;

/** Runs seeds and says which of them broke a promise. Returns the exit status. */
export async function searchSeeds({ workers, from, seeds, minutes, say }: SearchOptions): Promise<number> {
  const began = performance.now();
  const until = minutes === undefined ? Number.POSITIVE_INFINITY : began + minutes * 60_000;
  let tally = emptyTally;
  let failed = 0;
  let ran = 0;
  let said = began;

  function* numbers(): Iterable<number> {
    for (let seed = from; seeds === undefined || seed < from + seeds; seed += 1) {
      if (performance.now() >= until) return;
      yield seed;
    }
  }

  await runSeeds({
    workers,
    seeds: numbers(),
    onResult(result) {
      ran += 1;
      tally = addTallies(tally, result.tally);
      const [violation] = result.violations;
      if (violation) {
        failed += 1;
        say(`seed ${result.seed}: ${describeViolation(violation)}\n  replay: ${replayLine(result.seed)}`);
      }
      if (performance.now() - said > sayEveryMillis) {
        said = performance.now();
        say(`${ran} seeds, ${failed} failed`);
      }
      return failed < mostFailed;
    },
  });
  const seconds = (performance.now() - began) / 1_000;
  say(`\n${describeTally(tally)}`);
  say(`${seconds.toFixed(0)} s, ${((seconds * 1_000 * workers) / Math.max(ran, 1)).toFixed(0)} ms a seed`);
  say(`${ran - failed} passed, ${failed} failed`);
  return failed === 0 && ran > 0 ? 0 : 1;
}
