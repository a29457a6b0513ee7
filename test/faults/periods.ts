import type { HistoryEvent, Span } from './history.ts';

/** A pod with one role at one address. */
export interface Period {
  readonly uid: string;
  readonly role: string;
  /** When it may have been so: a request to the API takes effect somewhere between its beginning and its answer. */
  readonly possible: Span;
  /** When it was so for certain. Empty (`to` before `from`) for one that was changed at once. */
  readonly certain: Span;
}

/** Who was at each address when. A pod whose role changes has a period for each. */
export function periodsByAddress(history: readonly HistoryEvent[]): ReadonlyMap<string, readonly Period[]> {
  const open = new Map<string, { readonly uid: string; readonly role: string; readonly since: Span }>();
  const periods = new Map<string, Period[]>();

  function close(address: string, uid: string, { from, to }: Span): void {
    const key = `${address} ${uid}`;
    const period = open.get(key);
    if (period === undefined) return;
    open.delete(key);
    const { since, role } = period;
    const all = periods.get(address) ?? [];
    all.push({ uid, role, possible: { from: since.from, to }, certain: { from: since.to, to: from } });
    periods.set(address, all);
  }

  for (const event of history) {
    if (event.kind !== 'pod' && event.kind !== 'gone') continue;
    const { address, uid, during } = event;
    close(address, uid, during);
    if (event.kind === 'pod') open.set(`${address} ${uid}`, { uid, role: event.role, since: during });
  }
  const ever = Number.POSITIVE_INFINITY;
  for (const [key, { uid }] of [...open]) close(key.split(' ')[0] ?? '', uid, { from: ever, to: ever });
  return periods;
}
