import { lineOf, type Series } from './series.ts';

/** An installation to come. */
export interface Scenario {
  readonly nodes: number;
  readonly pods: number;
  readonly identities: number;
  readonly replicas: number;
  /** How long a session lives, in seconds. */
  readonly sessionSeconds: number;
  /** Pods that begin, for each second: of deployments and jobs. */
  readonly newPodsPerSecond: number;
  /** Calls of STS that the server allows itself, for each second (`--sts-rate`). */
  readonly stsRate: number;
}

/** What AWS gives all of an account and region: AssumeRole and its relatives together, calls for each second. */
export const stsQuota = 600;

/** Of a session's life has passed when it is refreshed, in the middle: `src/credentials/refresh-schedule.ts`. */
export const refreshPart = 0.435;

/** What was measured, as far as it is needed here. */
export interface Measured {
  readonly podsOfCluster: Series;
  readonly nodes: Series;
  readonly identities: Series;
  readonly podsOfNode: Series;
}

/** One figure with the arithmetic that it comes from. */
export interface Step {
  readonly name: ProjectedName;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly arithmetic: string;
}

export type ProjectedName =
  | 'stsPerSecond'
  | 'stsShare'
  | 'firstFill'
  | 'liveHeap'
  | 'resident'
  | 'idleCpu'
  | 'refreshCpu'
  | 'newPodCpu'
  | 'cpu'
  | 'groups'
  | 'servers'
  | 'failover'
  | 'restNetwork'
  | 'refreshNetwork'
  | 'newPodNetwork'
  | 'agentHeap';

/** What a large installation takes, on paper: straight lines through what was measured at smaller ones. */
export function project(measured: Measured, scenario: Scenario): readonly Step[] {
  const { nodes, pods, identities, replicas, sessionSeconds, newPodsPerSecond, stsRate } = scenario;
  const slopes = slopesOf(measured);
  const steps: Step[] = [];
  const add = (name: ProjectedName, what: string, value: number, unit: string, arithmetic: string) => {
    steps.push({ name, what, value, unit, arithmetic });
    return value;
  };

  const period = sessionSeconds * refreshPart;
  const periodText = `(${n(sessionSeconds)} s x ${refreshPart})`;
  const sts = identities / period;
  add(
    'stsPerSecond',
    'calls of STS',
    sts,
    'a second',
    `${n(identities)} identities / ${periodText}; the same for any number of replicas`,
  );
  add(
    'stsShare',
    `of the quota of ${stsQuota} a second`,
    (100 * sts) / stsQuota,
    '%',
    `${n(sts)} / ${stsQuota}`,
  );
  add(
    'firstFill',
    'all sessions from nothing',
    identities / stsRate,
    's',
    `${n(identities)} identities / ${n(stsRate)} a second (--sts-rate)`,
  );

  const { heap, resident } = slopes;
  const parts = [
    [pods, heap.pod, 'pods'],
    [nodes, heap.agent, 'agents'],
    [identities, heap.identity, 'identities'],
  ] as const;
  const grown = parts.reduce((sum, [count, each]) => sum + count * each, 0) / 1e3;
  add(
    'liveHeap',
    'live heap of a server',
    heap.base / 1e3 + grown,
    'MB',
    `${n(heap.base / 1e3)} MB + ${parts.map(([count, each, what]) => `${n(count)} ${what} x ${n(each)} kB`).join(' + ')}`,
  );
  add(
    'resident',
    'resident memory of a server',
    resident.base + (pods * resident.pod + nodes * resident.agent) / 1e3 + (identities * heap.identity) / 1e3,
    'MB',
    `${n(resident.base)} MB + ${n(pods)} pods x ${n(resident.pod)} kB + ${n(nodes)} agents x ${n(resident.agent)} kB + ${n(identities)} identities x ${n(heap.identity)} kB`,
  );

  const { cpu } = slopes;
  const idle = cpu.idleBase + nodes * cpu.idleAgent;
  add(
    'idleCpu',
    'CPU of the server that feeds, at rest',
    idle,
    '% of a core',
    `${n(cpu.idleBase)} % + ${n(nodes)} agents x ${n(cpu.idleAgent)} %`,
  );
  const refresh = (identities * cpu.refreshIdentity + pods * cpu.refreshPod) / (period * 10);
  add(
    'refreshCpu',
    'its refreshes and their pushes',
    refresh,
    '% of a core',
    `(${n(identities)} identities x ${n(cpu.refreshIdentity)} ms + ${n(pods)} pods x ${n(cpu.refreshPod)} ms) / ${periodText}`,
  );
  const fresh = (newPodsPerSecond * cpu.newPod) / 10;
  add(
    'newPodCpu',
    'its new pods',
    fresh,
    '% of a core',
    `${n(newPodsPerSecond)} a second x ${n(cpu.newPod)} ms`,
  );
  const all = add(
    'cpu',
    'CPU of the server that feeds, in all',
    idle + refresh + fresh,
    '% of a core',
    'the sum of the three',
  );
  const groups = Math.max(1, Math.ceil(all / mostCpuPercent));
  add(
    'groups',
    'groups of nodes, each with servers of its own',
    groups,
    '',
    `${n(all)} % / ${mostCpuPercent} % that the thread of a server may use: agents all prefer the same server of a group`,
  );
  add('servers', 'servers', groups * replicas, '', `${n(groups)} x ${n(replicas)} replicas`);
  add(
    'failover',
    'CPU of the next server until it has all agents',
    (nodes * cpu.openAgent) / 1e3,
    's',
    `${n(nodes)} agents x ${n(cpu.openAgent)} ms: handshake, first state of the node`,
  );

  const { bytes } = slopes;
  add(
    'restNetwork',
    'network of the server that feeds, at rest',
    (nodes * bytes.idleAgent) / 1e3,
    'kB/s',
    `${n(nodes)} agents x ${n(bytes.idleAgent)} B/s of pings`,
  );
  add(
    'refreshNetwork',
    'pushed refreshes',
    (pods * bytes.refreshPod) / period / 1e3,
    'kB/s',
    `${n(pods)} pods x ${n(bytes.refreshPod)} B / ${periodText}`,
  );
  add(
    'newPodNetwork',
    'pushed new pods',
    (newPodsPerSecond * bytes.newPod) / 1e3,
    'kB/s',
    `${n(newPodsPerSecond)} a second x ${n(bytes.newPod)} B`,
  );

  const perNode = pods / nodes;
  add(
    'agentHeap',
    'live heap of an agent',
    (slopes.agent.base + perNode * slopes.agent.slope) / 1e3,
    'MB',
    `${n(slopes.agent.base / 1e3)} MB + ${n(perNode)} pods x ${n(slopes.agent.slope)} kB`,
  );
  return steps;
}

/** A server is one thread. Half of it is for what comes at once: restarts of many pods, agents that come over. */
const mostCpuPercent = 50;

/** For one more of each: kB, milliseconds or percent of CPU, bytes. What is measured to shrink costs nothing. */
function slopesOf({ podsOfCluster, nodes, identities, podsOfNode }: Measured) {
  const slope = (series: Series, name: string) => Math.max(0, lineOf(series, name).slope);
  const heap = {
    pod: slope(podsOfCluster, 'heapKb'),
    agent: slope(nodes, 'heapKb'),
    identity: slope(identities, 'heapKb'),
  };
  const resident = {
    pod: slope(podsOfCluster, 'residentMb') * 1e3,
    agent: slope(nodes, 'residentMb') * 1e3,
  };
  // The agents and identities that were there while pods were added are not counted twice.
  const agents = fixed(podsOfCluster, 'agents');
  const known = fixed(podsOfCluster, 'identities');
  const alone = (base: number, perAgent: number) =>
    Math.max(0, base - agents * perAgent - known * heap.identity);
  const idle = lineOf(nodes, 'idlePercent');
  const idleAgent = Math.max(0, idle.slope);
  const idleBase = Math.max(0, idle.base);
  const refresh = lineOf(identities, 'refreshCpuMs');
  const pods = fixed(identities, 'pods');
  // What a server does anyway in the window that was watched is no refresh.
  const restPercent = idleBase + fixed(identities, 'agents') * idleAgent;
  const rest = restPercent * 10 * meanOf(identities, 'windowSeconds');
  return {
    heap: { ...heap, base: alone(lineOf(podsOfCluster, 'heapKb').base, heap.agent) },
    resident: {
      ...resident,
      base: alone(lineOf(podsOfCluster, 'residentMb').base * 1e3, resident.agent) / 1e3,
    },
    cpu: {
      idleBase,
      idleAgent,
      openAgent: slope(nodes, 'openingCpuMs'),
      refreshIdentity: Math.max(0, refresh.slope),
      refreshPod: Math.max(0, refresh.base - rest) / pods,
      newPod: meanOf(podsOfCluster, 'newPodCpuMs'),
    },
    bytes: {
      idleAgent: slope(nodes, 'idleBytesPerSecond'),
      refreshPod: meanOf(identities, 'refreshBytes') / pods,
      newPod: meanOf(podsOfCluster, 'newPodPushedBytes'),
    },
    agent: lineOf(podsOfNode, 'heapKb'),
  };
}

/** How many there were of something in all points of a series. */
function fixed(series: Series, name: string): number {
  const count = series.fixed[name];
  if (count === undefined) throw new Error(`how many ${name} there were by ${series.by} is not known`);
  return count;
}

function meanOf({ by, points }: Series, name: string): number {
  const values = points.flatMap(({ values: { [name]: value } }) => (value === undefined ? [] : [value]));
  if (values.length === 0) throw new Error(`${name} by ${by} was not measured`);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function n(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 2 : 4;
  return Number(value.toFixed(digits)).toLocaleString('en-US', { maximumFractionDigits: digits });
}
