/** Runs so many pieces of work at once, and lets so many wait. */
export interface ReviewQueue {
  /** Resolves with `undefined`, at once, when too many wait already. */
  run<T>(work: () => Promise<T>): Promise<T | undefined>;
}

export function createReviewQueue(maxRunning: number, maxWaiting: number): ReviewQueue {
  const waiting: (() => void)[] = [];
  let running = 0;

  return {
    async run(work) {
      if (running >= maxRunning) {
        if (waiting.length >= maxWaiting) return undefined;
        // Whoever ends hands its place on.
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else running += 1;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running -= 1;
      }
    },
  };
}
