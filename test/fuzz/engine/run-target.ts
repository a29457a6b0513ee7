import { Worker } from 'node:worker_threads';
import { messageOf } from '../../../src/base/errors.ts';
import type { FuzzOutcome } from './fuzz-loop.ts';
import { createMailbox, createMailboxBuffer } from './mailbox.ts';
import type { WorkerTask } from './worker.ts';

export interface RunTargetOptions extends Omit<WorkerTask, 'mailbox'> {
  /** An input that does not come back within this time never does. Default 20 s: a busy machine needs some of it. */
  readonly hangMillis?: number;
}

const loadMillis = 60_000;
const lookMillis = 250;
/** Enough for any target; one that needs more has been made to. */
const heapMegabytes = 1_024;

/**
 * Runs one target in a thread. An input that never comes back, takes all memory, or makes code throw where nobody
 * waits for it, is a finding like any other.
 */
export async function runTarget({ hangMillis = 20_000, ...options }: RunTargetOptions): Promise<FuzzOutcome> {
  const buffer = createMailboxBuffer();
  const mailbox = createMailbox(buffer);
  const task: WorkerTask = { ...options, mailbox: buffer };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    // What a target's libraries print is about hostile input, and no use here.
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();

  const { promise, resolve } = Promise.withResolvers<FuzzOutcome>();
  const fail = (what: string, stack = '') =>
    resolve({
      statistics: { executions: mailbox.count, reached: 0, points: 0 },
      kept: [],
      cutShort: false,
      failure: { input: mailbox.last(), what, stack },
    });
  let seen = 0;
  let since = performance.now();
  const watchdog = setInterval(() => {
    if (mailbox.count !== seen) {
      seen = mailbox.count;
      since = performance.now();
      return;
    }
    // Before the first input the target is being loaded.
    const bound = seen === 0 ? loadMillis : hangMillis;
    if (performance.now() - since > bound) fail(`did not come back within ${bound} ms`);
  }, lookMillis);
  worker.on('message', resolve);
  worker.on('error', (thrown) =>
    fail(
      `thrown where nobody waits: ${messageOf(thrown)}`,
      (thrown instanceof Error && thrown.stack) || undefined,
    ),
  );
  worker.on('exit', (code) => fail(`ended the process with status ${code}`));
  try {
    return await promise;
  } finally {
    clearInterval(watchdog);
    await worker.terminate();
  }
}
