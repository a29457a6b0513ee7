import { parentPort, workerData } from 'node:worker_threads';
import { mutants } from './mutants/mutants.ts';
import { mutantNamed, mutate } from './mutants/mutate.ts';

/** What a worker is told. */
export interface WorkerTask {
  readonly seed: number;
}

/** What it says of a seed. */
export interface WorkerResult {
  readonly seed: number;
  readonly violations: readonly { readonly rule: string; readonly at: number; readonly text: string }[];
  readonly tally: import('./check/tally.ts').Tally;
}

const { mutant } = workerData as { readonly mutant: string | undefined };
// Before the code under test is loaded.
if (mutant !== undefined) mutate(mutantNamed(mutants, mutant));
const { runSeed } = await import('./run-seed.ts');
const { tallyOf } = await import('./check/tally.ts');

parentPort?.on('message', async ({ seed }: WorkerTask) => {
  try {
    const { violations, history, millis } = await runSeed(seed);
    const result: WorkerResult = { seed, violations, tally: tallyOf(history, millis) };
    parentPort?.postMessage(result);
  } catch (thrown) {
    // A crash of what is simulated is a fault that was found.
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    const { emptyTally } = await import('./check/tally.ts');
    parentPort?.postMessage({ seed, violations: [{ rule: 'crash', at: 0, text }], tally: emptyTally });
  }
});
