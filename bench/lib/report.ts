import { allFigures } from '../figures.ts';
import type { Machine } from './machine.ts';
import type { Measurement, Verdict } from './measurement.ts';

/** Which rows were measured for how long. The figures of a smoke test mean nothing. */
export type Size = 'whole' | 'quick' | 'smoke';

/** A run, as it is written to `bench/results/latest.json`. */
export interface Report {
  /** ISO 8601. */
  readonly at: string;
  readonly size: Size;
  readonly machine: Machine;
  readonly nodeFlags: Readonly<Record<string, readonly string[]>>;
  /** By row: how busy the machine was before it began, in percent of all cores. */
  readonly busy: Readonly<Record<string, number>>;
  readonly measurements: readonly (Measurement & { readonly verdict: Verdict })[];
  /** Rows that could not be measured. */
  readonly failures: readonly { readonly row: string; readonly problem: string }[];
}

/** What a row gave against what `figures.ts` says it gives. Undefined when they are the same. */
export function figuresProblem(
  row: string,
  measurements: readonly Pick<Measurement, 'id'>[],
): string | undefined {
  const promised = new Set<string>(allFigures.filter((figure) => figure.row === row).map(({ id }) => id));
  const given = new Set<string>(measurements.map(({ id }) => id));
  const missing = [...promised].filter((id) => !given.has(id));
  const unknown = [...given].filter((id) => !promised.has(id));
  if (missing.length === 0 && unknown.length === 0) return undefined;
  return [
    ...missing.map((id) => `${id} was not measured`),
    ...unknown.map((id) => `${id} is of another row (bench/figures.ts)`),
  ].join('; ');
}
