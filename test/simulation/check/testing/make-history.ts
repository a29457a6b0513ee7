import type {
  CallFact,
  CheckSettings,
  FaultFact,
  History,
  PodFact,
  RequestFact,
  Version,
} from '../history.ts';

/** What a test says of a history; the rest is a calm cluster with one pod that may have what it wants. */
export interface HistoryParts {
  readonly pods?: Readonly<Record<string, readonly Version<PodFact>[]>>;
  readonly permitted?: string | undefined;
  readonly requests?: readonly Partial<RequestFact>[];
  readonly calls?: readonly Partial<CallFact>[];
  readonly faults?: readonly FaultFact[];
  readonly leaks?: History['leaks'];
  readonly ends?: History['ends'];
  /** What a process had been told of an object before a moment. Default: all. */
  readonly known?: (process: string, key: string, before: number) => number;
  readonly settings?: Partial<CheckSettings>;
}

export const roleArn = 'arn:aws:iam::123456789012:role/reader';

export function aPod(changes: Partial<PodFact> = {}): PodFact {
  return {
    uid: 'uid-a',
    namespace: 'shop',
    name: 'a',
    node: 'node-1',
    addresses: ['10.0.0.1'],
    hostNetwork: false,
    isFinished: false,
    role: 'reader',
    sessionName: undefined,
    externalId: undefined,
    ...changes,
  };
}

/** An object's versions from states and the times they began at. */
export function versions<T>(
  ...states: readonly (readonly [at: number, value: T | undefined])[]
): Version<T>[] {
  return states.map(([at, value]) => ({ at, version: at + 1, value }));
}

/** The answer of the door with credentials. */
export function credentialsBody(accessKeyId = 'ASIA0'): string {
  return JSON.stringify({ Code: 'Success', AccessKeyId: accessKeyId });
}

export function makeHistory(parts: HistoryParts): History {
  const pods = new Map(Object.entries(parts.pods ?? { 'uid-a': versions([0, aPod()]) }));
  const permitted = 'permitted' in parts ? parts.permitted : '.*';
  const namespaces = new Map([['shop', versions([0, { permitted }])]]);
  const newest = (key: string, before: number) =>
    (pods.get(key) ?? namespaces.get(key) ?? []).findLast(({ at }) => at < before)?.version ?? 0;
  return {
    pods,
    namespaces,
    requests: (parts.requests ?? []).map((request, number) => ({
      number,
      process: 'agent',
      node: 'node-1',
      address: '10.0.0.1',
      sender: 'uid-a',
      ask: { kind: 'credentials', role: 'reader' },
      from: 100_000,
      to: 100_000,
      status: 200,
      body: credentialsBody(),
      ...request,
    })),
    calls: (parts.calls ?? [{}]).map((call) => ({
      process: 'server',
      roleArn,
      sessionName: 'kiam-kiam',
      externalId: undefined,
      accessKeyId: 'ASIA0',
      from: 1_000,
      to: 1_100,
      outcome: 'issued',
      expiresAt: 3_600_000,
      ...call,
    })),
    faults: parts.faults ?? [],
    leaks: parts.leaks ?? [],
    ends: parts.ends ?? new Map(),
    news: {
      known: (process, key, before) => (parts.known ?? ((_p, k, b) => newest(k, b)))(process, key, before),
    },
    settings: {
      arnPrefix: 'arn:aws:iam::123456789012:role/',
      sessionMillis: 3_600_000,
      settleMillis: 12_000,
      requiresToken: false,
      holdMillis: 801,
      servers: ['server-1', 'server-2'],
      failoverMillis: 60_000,
      silentFailoverMillis: 260_000,
      namedByAddress: new Set(),
      callsPerSecond: 2,
      burst: 4,
      ...parts.settings,
    },
  };
}
