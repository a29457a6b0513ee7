import type { FaultFact, History, RequestFact } from './history.ts';

/**
 * Whether nothing that has to do with a request had changed or been broken for so long before it, nor did while it was
 * under way, that there can be but one answer. What is wrong with one server counts only until its nodes must have gone
 * over to another with which all is well.
 */
export function isSettled(history: History, request: RequestFact, to: number): boolean {
  const { faults, settings } = history;
  const touching = faults.filter(
    ({ node, from, to: mended, recovery }) =>
      (node === undefined || node === request.node) && from <= to && mended + recovery >= request.from,
  );
  if (touching.some(({ server }) => server === undefined)) return false;
  const isWell = (name: string) => !touching.some(({ server }) => server === name);
  const isLeft = (fault: FaultFact) => {
    const { failoverMillis, silentFailoverMillis } = settings;
    const millis = fault.isSilent ? silentFailoverMillis : failoverMillis;
    return fault.from + millis < request.from;
  };
  if (touching.length > 0 && !(settings.servers.some(isWell) && touching.every(isLeft))) return false;
  return lastChange(history, request, to) + settings.settleMillis < request.from;
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
