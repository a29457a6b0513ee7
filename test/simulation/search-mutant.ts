import type { Mutant } from './mutants/mutate.ts';
import { runSeeds } from './pool.ts';

/** Where the checker finds a mutant. */
export interface FoundMutant {
  /** The first seed that shows the missing protection: so many had to be run. */
  readonly seed: number;
  /** The promise that it broke. */
  readonly rule: string;
}

/** Whether the checker still finds a mutant where it was found before, and finds nothing there without it. */
export async function isStillFound({ name }: Mutant, { seed }: FoundMutant): Promise<boolean> {
  let isFound = false;
  await runSeeds({
    workers: 1,
    mutant: name,
    seeds: [seed],
    onResult({ violations }) {
      isFound = violations.length > 0;
      return true;
    },
  });
  await mustPass(seed);
  return isFound;
}

/**
 * Runs seeds from 1 on without a protection until the checker finds it missing.
 *
 * @throws Error when that seed breaks a promise with the protection, too: then it says nothing of the mutant
 */
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
  if (found) await mustPass(found.seed);
  return found;
}

async function mustPass(seed: number): Promise<void> {
  await runSeeds({
    workers: 1,
    seeds: [seed],
    onResult({ violations: [first] }) {
      if (first)
        throw new Error(`seed ${seed} breaks a promise without any mutant: ${first.rule}, ${first.text}`);
      return true;
    },
  });
}
