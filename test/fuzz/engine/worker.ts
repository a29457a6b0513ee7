// One target in a thread of its own: the thread that started it can end it when an input never comes back.

import { parentPort, workerData } from 'node:worker_threads';
import { createSeededRandom } from '../../../src/base/random.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { readCommitted, readLocal } from './corpus-files.ts';
import { distil } from './distil.ts';
import { createFeedback } from './feedback.ts';
import { type FuzzOutcome, fuzzLoop } from './fuzz-loop.ts';
import { installInstrumentation } from './install-instrumentation.ts';
import { createMailbox } from './mailbox.ts';
import { createRunInput } from './run-input.ts';
import { shrink } from './shrink.ts';

export interface WorkerTask {
  readonly target: string;
  /** The module that has it. Default: the one of its name in `targets/`. */
  readonly module?: string;
  readonly seed: number;
  /** From when all is loaded. */
  readonly seconds: number;
  readonly mostExecutions: number;
  /** Also find the few inputs that reach all. */
  readonly distil: boolean;
  /** The last input, for who watches. */
  readonly mailbox: SharedArrayBuffer;
}

const shrinkMillis = 5_000;

async function work(task: WorkerTask): Promise<FuzzOutcome> {
  const feedback = createFeedback();
  installInstrumentation(feedback, (path) => /\/src\//.test(path) && !/\/testing\/|\.test\.ts$/.test(path));
  const { target } = (await import(task.module ?? `../targets/${task.target}.ts`)) as { target: FuzzTarget };
  const open = await target.open();
  const mailbox = createMailbox(task.mailbox);
  const end = performance.now() + task.seconds * 1_000;
  const outcome = await fuzzLoop({
    target,
    open,
    feedback,
    random: createSeededRandom(task.seed),
    corpus: [...readCommitted(target.name), ...readLocal(target.name)].map(({ bytes }) => bytes),
    goOn: () => performance.now() < end,
    mostExecutions: task.mostExecutions,
    onInput: mailbox.put,
  });
  if (outcome.failure) {
    const until = performance.now() + shrinkMillis;
    const runInput = createRunInput(target, open, mailbox.put);
    const failure = await shrink(outcome.failure, runInput, () => performance.now() < until);
    return { ...outcome, failure };
  }
  const distilled = task.distil ? await distil(target, open, feedback, outcome.kept, mailbox.put) : undefined;
  await open.close?.();
  return distilled ? { ...outcome, distilled } : outcome;
}

parentPort?.postMessage(await work(workerData as WorkerTask));
