import type { Measurement } from './measurement.ts';

/** One subject of the bench: starts what it needs, measures, and ends it again. */
export interface Row {
  /** What `--only` takes. */
  readonly name: string;
  /** What is being done, for whoever waits. */
  readonly title: string;
  measure(context: RowContext): Promise<readonly Measurement[]>;
  /** Whether it can take a profile: `--flame`. */
  readonly hasFlame?: boolean;
}

/** What is wished of a profile. */
export interface Flame {
  /** The picture; the profile itself is written beside it. */
  readonly file: string;
}

export interface RowContext {
  /** Fewer rounds, shorter ones. */
  readonly quick: boolean;
  /** Only whether it can be measured at all: figures are nobody's. `quick` is set, too. */
  readonly smoke: boolean;
  /** Takes a profile of the measured process under its load. Absent when none is wished. */
  readonly flame?: Flame;
  /** Says how far it is. */
  readonly note: (text: string) => void;
  /** What to end when the row is over, whatever became of it; the last thing first. */
  readonly onEnd: (cleanup: () => unknown) => void;
}

/** One of three sizes: of a smoke test, of a quick run, of a whole one. */
export function pick<T>({ smoke, quick }: Pick<RowContext, 'smoke' | 'quick'>, least: T, some: T, all: T): T {
  if (smoke) return least;
  return quick ? some : all;
}
