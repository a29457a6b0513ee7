import type { Mutant } from './mutants/mutate.ts';
import { runSeeds } from './pool.ts';

export interface FoundMutant {
  /** The first seed that shows the missing protection: so many had to be run. */
  readonly seed: number;
  /** The promise that it broke. */
  readonly rule: string;
}

/** Runs seeds from 1 on without a protection until the checker finds it missing. */
export async function searchMutant(
  { name }: Mutant,
  workers: number,
  seeds: number,
): Promise<FoundMutant | undefined> {
  let found: FoundMutant | undefined;
  const done = new Set<number>();
  const isUpTo = (last: number) =>
    Array.from({ length: last }, (_, i) => i + 1).every((seed) => done.has(seed));
  await runSeeds({
    workers,
    mutant: name,
    seeds: Array.from({ length: seeds }, (_, i) => i + 1),
    onResult({ seed, violations }) {
      done.add(seed);
      const [first] = violations;
      if (first && (!found || seed < found.seed)) found = { seed, rule: first.rule };
      // Seeds before it may still be under way in other workers.
      return found === undefined || !isUpTo(found.seed);
    },
  });
  return found;
}
