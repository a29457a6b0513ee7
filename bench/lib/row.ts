import type { Measurement } from './measurement.ts';

/** One subject of the bench: starts what it needs, measures, and ends it again. */
export interface Row {
  /** What `--only` takes. */
  readonly name: string;
  /** What is being done, for whoever waits. */
  readonly title: string;
  measure(context: RowContext): Promise<readonly Measurement[]>;
}

export interface RowContext {
  /** Fewer rounds, shorter ones. */
  readonly quick: boolean;
  /** Says how far it is. */
  readonly note: (text: string) => void;
  /** What to end when the row is over, whatever became of it; the last thing first. */
  readonly onEnd: (cleanup: () => unknown) => void;
}
