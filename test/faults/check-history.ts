import type { DoorFacts, HistoryEvent, PodRequest, Span, Violation } from './history.ts';
import { type Period, periodsByAddress } from './periods.ts';

export interface CheckOptions {
  readonly doors: readonly DoorFacts[];
  /** Processes through which a door hears of pods: while one is away, it may know what was, and not what is. */
  readonly informants: readonly string[];
  /** How long news may take to a door while all is well. */
  readonly lagMillis: number;
  /** When all has been well for so long, each pod must be served. */
  readonly settleMillis: number;
  /** How often a session may be fetched anew. Default: once in the whole history. */
  readonly refreshMillis?: number;
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /** How many of the requests had to be answered: a judge who asks for nothing finds nothing. */
  readonly owed: number;
}

type Fault = Extract<HistoryEvent, { kind: 'fault' }>;

/**
 * Judges a history:
 *
 * 1. Whoever got credentials got those of a role that a pod at its address had, at a moment of the request. Longer ago
 *    only by `lagMillis`, or while who informs the door was away.
 * 2. A request had to be answered at the first try, if all was well; or if its pod had been served by this door before
 *    and the door was not killed since, whatever else was away.
 * 3. It had to be answered with one further try, if nothing but the door itself was killed, and it does not forget.
 * 4. Once all has been well for `settleMillis`, rule 2 holds for everybody, and everybody has asked.
 * 5. STS issued credentials of a role once for each process that serves it, and refresh, and loss of STS.
 */
export function checkHistory(history: readonly HistoryEvent[], options: CheckOptions): Verdict {
  const { doors, informants, lagMillis, settleMillis } = options;
  const faults = ofKind(history, 'fault');
  const requests = ofKind(history, 'request').toSorted((a, b) => a.during.from - b.during.from);
  const issued = new Map(ofKind(history, 'issued').map(({ accessKeyId, role }) => [accessKeyId, role]));
  const periods = periodsByAddress(history);
  const forgetful = new Set(doors.filter(({ forgets }) => forgets).map(({ name }) => name));
  const violations: Violation[] = ofKind(history, 'died').map(({ process, how }) => ({
    rule: 'died',
    text: `${process} ${how}`,
  }));
  let owed = 0;
  /** The latest beginning of a request that was answered, by period. */
  const served = new Map<Period, number>();

  const overlaps = (a: Span, from: number, to: number) => a.from <= to && a.to >= from;
  const anyFault = (from: number, to: number, of: (fault: Fault) => boolean) =>
    faults.some((fault) => of(fault) && overlaps(fault.during, from, to));

  /** How far back a door may live in the past at this moment. */
  function reachOf(from: number, to: number): number {
    let reach = from - lagMillis;
    for (let grown = true; grown; ) {
      grown = false;
      for (const { process, during } of faults) {
        const isOverdue = during.from - lagMillis < reach && overlaps(during, reach - lagMillis, to);
        if (!informants.includes(process) || !isOverdue) continue;
        reach = during.from - lagMillis;
        grown = true;
      }
    }
    return reach;
  }

  function judgeCredentials(request: PodRequest, accessKeyId: string): void {
    const role = issued.get(accessKeyId);
    const { from, to } = request.during;
    if (role === undefined) {
      violations.push({ rule: 'unknown', text: `${describe(request)}: STS never issued ${accessKeyId}` });
      return;
    }
    const reach = reachOf(from, to);
    const known = periods.get(request.address) ?? [];
    const allowed = known
      .filter(({ possible }) => overlaps(possible, reach, to))
      .map((period) => period.role);
    if (allowed.includes(role)) return;
    const text = `${describe(request)} got credentials of ${role}; there was ${allowed.join(', ') || 'nobody'}`;
    violations.push({ rule: 'stranger', text });
  }

  /** How many tries there may be at the most; undefined where no answer is owed. */
  function owedWithin({ door, address, during: { from, to } }: PodRequest): number | undefined {
    const period = periods.get(address)?.find(({ certain }) => certain.from <= from && certain.to >= to);
    if (period === undefined) return undefined;
    const settled = from - settleMillis;
    if (period.certain.from <= settled && !anyFault(settled, to, () => true)) return 1;
    const isOwn = (fault: Fault) => fault.process === door;
    const since = served.get(period);
    if (since !== undefined && !anyFault(since, to, isOwn)) return 1;
    if (forgetful.has(door)) return undefined;
    const own = faults.filter((fault) => isOwn(fault) && overlaps(fault.during, settled, to));
    const before = Math.min(from, ...own.map(({ during }) => during.from)) - settleMillis;
    const isOther = ({ process }: Fault) => process !== door && !doors.some(({ name }) => name === process);
    if (period.certain.from <= before && !anyFault(before, to, isOther)) return 2;
    return undefined;
  }

  for (const request of requests) {
    if (request.accessKeyId !== undefined) judgeCredentials(request, request.accessKeyId);
    const tries = owedWithin(request);
    if (tries !== undefined) owed += 1;
    if (tries !== undefined && (request.status !== 200 || request.tries > tries))
      violations.push({ rule: 'lost', text: `${describe(request)} was owed an answer at try ${tries}` });
    if (request.status !== 200) continue;
    const period = periods
      .get(request.address)
      ?.find(({ certain }) => certain.from <= request.during.from && certain.to >= request.during.to);
    if (period && issued.get(request.accessKeyId ?? '') === period.role)
      served.set(period, request.during.from);
  }

  violations.push(...judgeRecovery(), ...judgeCalls());
  return { violations, owed };

  /** Rule 2 judges the requests of the quiet end; here it is seen that each pod made one. */
  function judgeRecovery(): Violation[] {
    const quiet = Math.max(...faults.map(({ during }) => during.to), 0) + settleMillis;
    const last = requests.at(-1)?.during.to ?? 0;
    return [...periods].flatMap(([address, all]) => {
      const { role, certain } = all.at(-1) ?? { role: '', certain: { from: 0, to: 0 } };
      if (certain.to < last || certain.from > quiet) return [];
      const isServed = requests.some(
        (request) => request.address === address && request.status === 200 && request.during.from >= quiet,
      );
      if (isServed) return [];
      const text = `${address} (${role}) got nothing after ${Math.round(quiet)}, when all had been well for long`;
      return [{ rule: 'late', text }];
    });
  }

  function judgeCalls(): Violation[] {
    const ends = requests.map(({ during }) => during.to);
    const length = Math.max(0, ...ends) - Math.min(...ends, 0);
    const refreshes = options.refreshMillis === undefined ? 0 : Math.floor(length / options.refreshMillis);
    const times = (process: string) => faults.filter((fault) => fault.process === process).length;
    const counts = new Map<string, number>();
    for (const role of issued.values()) counts.set(role, (counts.get(role) ?? 0) + 1);
    const doorsOf = new Map<string, Set<string>>();
    for (const { role, door } of ofKind(history, 'pod'))
      doorsOf.set(role, (doorsOf.get(role) ?? new Set()).add(door));
    return [...counts].flatMap(([role, count]) => {
      const issuers = new Set(
        doors.filter(({ name }) => doorsOf.get(role)?.has(name)).flatMap((door) => door.issuers),
      );
      const lives = [...issuers].reduce((sum, issuer) => sum + 1 + times(issuer), 0);
      const most = lives * (1 + refreshes) + times('sts');
      if (count <= most) return [];
      return [{ rule: 'calls', text: `STS issued credentials of ${role} ${count} times, of ${most}` }];
    });
  }
}

function ofKind<K extends HistoryEvent['kind']>(
  history: readonly HistoryEvent[],
  kind: K,
): Extract<HistoryEvent, { kind: K }>[] {
  return history.filter((event): event is Extract<HistoryEvent, { kind: K }> => event.kind === kind);
}

function describe({ door, address, during, tries, status, body = '' }: PodRequest): string {
  const [from, to] = [Math.round(during.from), Math.round(during.to)];
  return `${address} at ${door}, ${from} to ${to} ms, ${tries} tries, status ${status} ${body.slice(0, 200)}`;
}
