import { candidates } from './admissible.ts';
import type { History } from './history.ts';

/** What a run, or many, came to in numbers. */
export interface Tally {
  readonly seeds: number;
  /** Of the simulated world. */
  readonly hours: number;
  readonly requests: number;
  readonly served: number;
  readonly refused: number;
  readonly calls: number;
  readonly faults: number;
  /**
   * Served to a sender that was not the owner yet by what had been told: the address had changed hands a moment before
   * the API said so. Whoever tells callers by address alone cannot tell this.
   */
  readonly aheadOfNews: number;
}

export const emptyTally: Tally = {
  seeds: 0,
  hours: 0,
  requests: 0,
  served: 0,
  refused: 0,
  calls: 0,
  faults: 0,
  aheadOfNews: 0,
};

export function tallyOf(history: History, millis: number): Tally {
  const answered = history.requests.filter(({ status }) => status !== undefined);
  const served = answered.filter(({ ask, status }) => ask.kind === 'credentials' && status === 200);
  return {
    seeds: 1,
    hours: millis / 3_600_000,
    requests: history.requests.length,
    served: served.length,
    refused: answered.filter(({ status }) => status !== 200).length,
    calls: history.calls.length,
    faults: history.faults.length,
    aheadOfNews: served.filter((request) => {
      const possible = candidates(history, request, request.to ?? request.from);
      return !possible.some(({ pod }) => pod.uid === request.sender);
    }).length,
  };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return {
    seeds: a.seeds + b.seeds,
    hours: a.hours + b.hours,
    requests: a.requests + b.requests,
    served: a.served + b.served,
    refused: a.refused + b.refused,
    calls: a.calls + b.calls,
    faults: a.faults + b.faults,
    aheadOfNews: a.aheadOfNews + b.aheadOfNews,
  };
}
