import type { Outcome } from './outcome.ts';

/** Why a cell is not green. */
export interface Footnote {
  readonly outcome: Outcome;
  /** Absent: any. */
  readonly clients?: readonly string[];
  readonly scenarios?: readonly string[];
  readonly text: string;
}

/** The first that fits a cell is its. */
export const footnotes: readonly Footnote[] = [];

/** The number of a cell's footnote, from 0; `undefined` where nobody has explained the cell. */
export function footnoteOf(
  cell: { readonly client: string; readonly scenario: string; readonly outcome: Outcome },
  among: readonly Footnote[],
): number | undefined {
  const index = among.findIndex(
    ({ outcome, clients, scenarios }) =>
      outcome === cell.outcome &&
      (clients?.includes(cell.client) ?? true) &&
      (scenarios?.includes(cell.scenario) ?? true),
  );
  return index === -1 ? undefined : index;
}
