/** What has been started and must be ended, in the reverse order. */
export interface Teardown {
  add(end: () => unknown): void;
  /** Ends everything, each thing once. One that fails does not keep the others from ending. */
  run(): Promise<void>;
}

export function createTeardown(): Teardown {
  const ends: (() => unknown)[] = [];
  return {
    add: (end) => void ends.push(end),
    async run() {
      const failures: unknown[] = [];
      for (const end of ends.splice(0).reverse()) {
        try {
          await end();
        } catch (failure) {
          failures.push(failure);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
