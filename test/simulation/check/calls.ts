import type { CallFact, History } from './history.ts';
import type { Violation } from './violation.ts';

/** No success is followed by another call of the same identity before this share of its life is over. */
const earliestRefresh = 0.35;
/** How long a session that nobody wants is kept. */
const lingerMillis = 60_000;

/**
 * STS is called once at a time for each identity of a process, no more often than the budget of an account allows, and
 * not again while what it issued is fresh.
 */
export function checkCalls(history: History): Violation[] {
  const byIdentity = new Map<string, CallFact[]>();
  const byProcess = new Map<string, CallFact[]>();
  for (const call of history.calls) {
    const { process, roleArn, sessionName, externalId } = call;
    add(byIdentity, JSON.stringify([process, roleArn, sessionName, externalId]), call);
    add(byProcess, process, call);
  }
  return [
    ...[...byIdentity.values()].flatMap((calls) => [...overlaps(calls), ...repeats(history, calls)]),
    ...[...byProcess.values()].flatMap((calls) => overBudget(history, calls)),
  ];
}

function add(map: Map<string, CallFact[]>, key: string, call: CallFact): void {
  const list = map.get(key);
  if (list) list.push(call);
  else map.set(key, [call]);
}

function overlaps(calls: readonly CallFact[]): Violation[] {
  return calls.flatMap((call, i) => {
    const before = calls[i - 1];
    if (!before || (before.to !== undefined && before.to <= call.from)) return [];
    const text = `${call.process} called STS for ${call.roleArn} as ${call.sessionName} while it was calling already`;
    return [{ rule: 'two-calls-at-once', at: call.from, text }];
  });
}

function repeats(history: History, calls: readonly CallFact[]): Violation[] {
  return calls.flatMap((call, i) => {
    const before = calls[i - 1];
    if (before?.outcome !== 'issued' || before.to === undefined || before.expiresAt === undefined) return [];
    const passed = call.from - before.to;
    if (passed >= earliestRefresh * (before.expiresAt - before.to) || hadReason(history, before, call))
      return [];
    const text = `${call.process} fetched ${call.roleArn} as ${call.sessionName} again ${Math.round(passed / 1_000)} s after it had been issued`;
    return [{ rule: 'needless-call', at: call.from, text }];
  });
}

/** Clocks were set, or nobody wanted the session for as long as it is kept. */
function hadReason(history: History, before: CallFact, call: CallFact): boolean {
  const wasSet = history.faults.some(
    ({ kind, from, to }) => kind === 'clock' && from <= call.from && to + 10_000 >= (before.to ?? 0),
  );
  // It may have been given up while it was fetched.
  return wasSet || call.from - before.from >= lingerMillis;
}

/** A bucket of `burst` calls that fills at `callsPerSecond`. */
function overBudget({ settings }: History, calls: readonly CallFact[]): Violation[] {
  let level = settings.burst;
  let last = 0;
  for (const { from, process } of calls) {
    level = Math.min(settings.burst, level + ((from - last) / 1_000) * settings.callsPerSecond) - 1;
    last = from;
    if (level < -1)
      return [{ rule: 'over-budget', at: from, text: `${process} calls STS more often than it may` }];
  }
  return [];
}
