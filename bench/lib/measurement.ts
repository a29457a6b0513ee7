/** One figure and what it may be. */
export interface Measurement {
  /** What was measured, with the conditions that matter: `credentials, IMDSv1, 64 connections: requests/s`. */
  readonly what: string;
  readonly value: number;
  /** `× bare`, `MB`, `ms`; empty for a count. */
  readonly unit: string;
  readonly budget?: { readonly atMost: number } | { readonly atLeast: number };
  /** What it is to be seen beside: the bare server's figure, single rounds. */
  readonly beside?: string;
  /** For the JSON: everything that was read. */
  readonly details?: unknown;
}

export type Verdict = 'within' | 'MISSED' | 'no budget';

/** A figure that could not be had is a miss. */
export function verdictOf({ value, budget }: Measurement): Verdict {
  if (budget === undefined) return 'no budget';
  const within = 'atMost' in budget ? value <= budget.atMost : value >= budget.atLeast;
  return within ? 'within' : 'MISSED';
}
