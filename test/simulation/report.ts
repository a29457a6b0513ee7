import type { Tally } from './check/tally.ts';
import type { Violation } from './check/violation.ts';

export function describeTally(tally: Tally): string {
  const { seeds, hours, requests, served, refused, calls, faults, aheadOfNews } = tally;
  return (
    `${seeds} ${seeds === 1 ? 'cluster' : 'clusters'}, ${hours.toFixed(1)} h, ${faults} faults, ${requests} requests, ` +
    `${served} with credentials, ${refused} refused, ${calls} calls of STS; ` +
    `${aheadOfNews} came from the next owner of an address before the API named it`
  );
}

export function describeViolation({ rule, at, text }: Violation): string {
  return `${rule} at ${at.toFixed(1)} ms: ${text}`;
}

/** What to type to see it. */
export function replayLine(seed: number): string {
  return `npm run simulate -- --seed ${seed}`;
}
