import { type Budget, type Figure, type FigureId, figures } from '../figures.ts';

/** One figure and what it may be. */
export interface Measurement {
  readonly id: FigureId;
  /** What was measured, with the conditions that matter: `credentials, IMDSv1, 64 connections: requests/s`. */
  readonly what: string;
  readonly value: number;
  /** `× bare`, `MB`, `ms`; empty for a count. */
  readonly unit: string;
  readonly budget?: Budget;
  /** What it is to be seen beside: the bare server's figure, single rounds. */
  readonly beside?: string;
  /** For the JSON: everything that was read. */
  readonly details?: unknown;
}

export type Verdict = 'within' | 'MISSED' | 'no budget';

/** A figure that could not be had is a miss. */
export function verdictOf({ value, budget }: Pick<Measurement, 'value' | 'budget'>): Verdict {
  if (budget === undefined) return 'no budget';
  const within = 'atMost' in budget ? value <= budget.atMost : value >= budget.atLeast;
  return within ? 'within' : 'MISSED';
}

/** The figure as it was measured. */
export function measured(
  id: FigureId,
  value: number,
  more: Pick<Measurement, 'beside' | 'details'> = {},
): Measurement {
  const { what, unit, budget }: Figure = figures[id];
  return { id, what, value, unit, ...(budget && { budget }), ...more };
}
