import { namespaceFor } from '../check/admissible.ts';
import type {
  CallFact,
  CheckSettings,
  FaultFact,
  History,
  LeakFact,
  NamespaceFact,
  NewsOf,
  PodFact,
  RequestFact,
  Version,
} from '../check/history.ts';
import type { Sts } from './sts.ts';

/** Writes the history of a run. */
export interface Recorder {
  pod(uid: string, version: number, value: PodFact | undefined): void;
  namespace(name: string, version: number, value: NamespaceFact): void;
  /** Returns how to note the answer. */
  request(fact: Omit<RequestFact, 'number' | 'from'>): (answer: { status: number; body: string }) => void;
  fault(fact: FaultFact): void;
  leak(fact: LeakFact): void;
  ended(process: string): void;
  /** Grows with all that any process hears. Times do not tell: what was held back on a link arrives all at once. */
  moment(): number;
  /** A process has all objects of a kind up to a version. */
  listed(process: string, kind: Kind, version: number): void;
  heard(process: string, key: string, version: number): void;
  /** A process has of one pod, and of the namespace where that pod is concerned, what another knew at a moment. */
  toldOf(process: string, by: string, asOf: number, pod: { uid: string; namespace: string }): void;
  /** A process has of everything what another knew at a moment. */
  told(process: string, by: string, asOf: number): void;
  history(sts: Sts, settings: CheckSettings): History;
}

export type Kind = 'pods' | 'namespaces';

interface Heard {
  readonly at: number;
  readonly moment: number;
  readonly version: number;
}

interface Told {
  readonly at: number;
  readonly moment: number;
  readonly by: string;
  readonly asOf: number;
}

/** Of one object, which whoever told of it knows under this key. */
interface ToldOf extends Told {
  readonly key: string;
}

/** What arrived at one process, in the order of time. */
interface Inbox {
  readonly listed: Record<Kind, Heard[]>;
  readonly heard: Map<string, Heard[]>;
  readonly told: Told[];
  readonly toldOf: Map<string, ToldOf[]>;
}

export function createRecorder(now: () => number): Recorder {
  const pods = new Map<string, Version<PodFact>[]>();
  const namespaces = new Map<string, Version<NamespaceFact>[]>();
  const requests: RequestFact[] = [];
  const faults: FaultFact[] = [];
  const leaks: LeakFact[] = [];
  const ends = new Map<string, number>();
  const inboxes = new Map<string, Inbox>();
  let moment = 0;

  /** When something arrives. */
  function stamp() {
    moment += 1;
    return { at: now(), moment };
  }

  function inboxOf(process: string): Inbox {
    let inbox = inboxes.get(process);
    if (!inbox) {
      inbox = { listed: { pods: [], namespaces: [] }, heard: new Map(), told: [], toldOf: new Map() };
      inboxes.set(process, inbox);
    }
    return inbox;
  }

  function push<K, T>(map: Map<K, T[]>, key: K, value: T): void {
    const list = map.get(key);
    if (list) list.push(value);
    else map.set(key, [value]);
  }

  const versionsOf = (key: string) => pods.get(key) ?? namespaces.get(key) ?? [];

  const news: NewsOf = {
    known: (process, key, before, uid) => known(process, key, ({ at }) => at < before, uid),
  };

  function known(process: string, key: string, isIn: IsIn, uid?: string): number {
    const inbox = inboxes.get(process);
    if (!inbox) return 0;
    let latest = 0;
    for (const heard of inbox.heard.get(key) ?? []) if (isIn(heard)) latest = Math.max(latest, heard.version);
    const listed = lastIn(inbox.listed[pods.has(key) ? 'pods' : 'namespaces'], isIn);
    if (listed) latest = Math.max(latest, newestUpTo(versionsOf(key), listed.version));
    // One speaks of everything in order, so what it said last holds the most. Several may have spoken.
    const spoken = new Map<string, number>();
    const first = uid === undefined ? 0 : (inbox.toldOf.get(uid)?.[0]?.moment ?? 0);
    for (const told of inbox.told) if (isIn(told) && told.moment > first) spoken.set(told.by, told.asOf);
    for (const told of inbox.toldOf.get(key) ?? []) {
      if (!isIn(told)) continue;
      latest = Math.max(
        latest,
        known(told.by, told.key, ({ moment }) => moment <= told.asOf),
      );
    }
    for (const [by, asOf] of spoken)
      latest = Math.max(
        latest,
        known(by, key, ({ moment }) => moment <= asOf),
      );
    return latest;
  }

  return {
    pod: (uid, version, value) => push(pods, uid, { at: now(), version, value }),
    namespace: (name, version, value) => push(namespaces, name, { at: now(), version, value }),
    request(fact) {
      const number = requests.length;
      requests.push({ ...fact, number, from: now() });
      return ({ status, body }) => {
        const begun = requests[number];
        if (begun) requests[number] = { ...begun, to: now(), status, body };
      };
    },
    fault: (fact) => faults.push(fact),
    leak: (fact) => leaks.push(fact),
    ended: (process) => ends.set(process, now()),
    moment: () => moment,
    listed: (process, kind, version) => inboxOf(process).listed[kind].push({ ...stamp(), version }),
    heard: (process, key, version) => push(inboxOf(process).heard, key, { ...stamp(), version }),
    toldOf(process, by, asOf, { uid, namespace }) {
      const { toldOf } = inboxOf(process);
      push(toldOf, uid, { ...stamp(), by, asOf, key: uid });
      push(toldOf, namespaceFor(namespace, uid), { ...stamp(), by, asOf, key: namespace });
    },
    told: (process, by, asOf) => inboxOf(process).told.push({ ...stamp(), by, asOf }),
    history: (sts, settings) => ({
      pods,
      namespaces,
      requests,
      faults,
      leaks,
      ends,
      news,
      settings,
      calls: sts.calls.map(
        (call): CallFact => ({
          process: call.process,
          roleArn: call.identity.roleArn,
          sessionName: call.identity.sessionName,
          externalId: call.identity.externalId,
          accessKeyId: call.accessKeyId,
          from: call.at,
          to: call.endedAt,
          outcome: call.outcome,
          expiresAt: call.expiresAt,
        }),
      ),
    }),
  };
}

type IsIn = (entry: { readonly at: number; readonly moment: number }) => boolean;

/** The last entry of a list that is in the order of time. */
function lastIn<T extends { readonly at: number; readonly moment: number }>(
  list: readonly T[],
  isIn: IsIn,
): T | undefined {
  for (let i = list.length - 1; i >= 0; i -= 1) {
    const entry = list[i];
    if (entry && isIn(entry)) return entry;
  }
  return undefined;
}

function newestUpTo(versions: readonly Version<unknown>[], limit: number): number {
  let newest = 0;
  for (const { version } of versions) if (version <= limit) newest = version;
  return newest;
}
