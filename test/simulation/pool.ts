import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WorkerResult, WorkerTask } from './worker.ts';

export interface PoolOptions {
  readonly workers: number;
  /** Which seeds to run, in this order. */
  readonly seeds: Iterable<number>;
  /** The protection that is switched off in what is simulated. */
  readonly mutant?: string;
  /** Is told of each seed that has run; says whether to go on. */
  readonly onResult: (result: WorkerResult) => boolean;
}

/** Runs seeds in parallel. Resolves when all have run, or when `onResult` has had enough. Rejects when a worker fails. */
export async function runSeeds({ workers, seeds, mutant, onResult }: PoolOptions): Promise<void> {
  const next = seeds[Symbol.iterator]();
  let isOver = false;

  async function work(): Promise<void> {
    const worker = new Worker(join(import.meta.dirname, 'worker.ts'), { workerData: { mutant } });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const give = () => {
      const { value: seed, done } = isOver ? { value: 0, done: true } : next.next();
      if (done) {
        resolve();
        return;
      }
      const task: WorkerTask = { seed };
      worker.postMessage(task);
    };
    worker.on('message', (result: WorkerResult) => {
      try {
        if (!isOver && !onResult(result)) isOver = true;
        give();
      } catch (thrown) {
        reject(thrown);
      }
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`a worker ended with status ${code}`)));
    give();
    try {
      await promise;
    } finally {
      await worker.terminate();
    }
  }

  await Promise.all(Array.from({ length: workers }, work));
}
