import type { History, RequestFact } from './history.ts';

/**
 * Whether nothing that has to do with a request had changed or been broken for so long before it, nor did while it was
 * under way, that there can be but one answer.
 */
export function isSettled(history: History, request: RequestFact, to: number): boolean {
  const { settleMillis } = history.settings;
  for (const fault of history.faults) {
    if (fault.node !== undefined && fault.node !== request.node) continue;
    if (fault.from <= to && fault.to + fault.recovery >= request.from) return false;
  }
  const last = lastChange(history, request, to);
  return last + settleMillis < request.from;
}

/** When something last changed that has to do with a request. */
export function lastChange(history: History, request: RequestFact, to: number): number {
  let last = 0;
  const note = (at: number) => {
    if (at <= to && at > last) last = at;
  };
  const spaces = new Set<string>();
  for (const [uid, versions] of history.pods) {
    const isConcerned =
      uid === request.sender || versions.some(({ value }) => value?.addresses.includes(request.address));
    if (!isConcerned) continue;
    for (const { at, value } of versions) {
      note(at);
      if (value) spaces.add(value.namespace);
    }
  }
  for (const name of spaces) for (const { at } of history.namespaces.get(name) ?? []) note(at);
  return last;
}
