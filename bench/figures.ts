export type Budget = { readonly atMost: number } | { readonly atLeast: number };

/** One figure that the bench promises to measure. The first table of docs/performance.md has the same, in this order. */
export interface Figure {
  /** The row of `bench/rows` that measures it. */
  readonly row: string;
  /** What is measured, with the conditions that matter. */
  readonly what: string;
  /** `× bare`, `MB`, `ms`; empty for a count. */
  readonly unit: string;
  /** Absent where the figure is there to judge another one by. */
  readonly budget?: Budget;
}

const bare = '× bare';
const cpu = 'CPU a request';

/** Every figure by its id, which names it in the JSON and in `peers.ts`. */
export const figures = {
  'agent-v1-rate': {
    row: 'metadata',
    what: 'agent: credentials, IMDSv1, 64 connections: requests/s',
    unit: bare,
    budget: { atLeast: 0.85 },
  },
  'agent-v1-cpu': { row: 'metadata', what: `agent: the same: ${cpu}`, unit: bare },
  'agent-v1-p99': { row: 'metadata', what: 'agent: the same: p99', unit: bare, budget: { atMost: 1.5 } },
  'agent-v2-rate': {
    row: 'metadata',
    what: 'agent: credentials, IMDSv2, 64 connections: requests/s',
    unit: bare,
    budget: { atLeast: 0.85 },
  },
  'agent-v2-cpu': { row: 'metadata', what: `agent: the same by IMDSv2: ${cpu}`, unit: bare },
  'agent-v2-p99': {
    row: 'metadata',
    what: 'agent: the same by IMDSv2: p99',
    unit: bare,
    budget: { atMost: 1.5 },
  },
  'kiam-rpc-rate': {
    row: 'kiam-rpc',
    what: "server: kiam's GetPodCredentials, mutual TLS, 64 in flight: calls/s",
    unit: bare,
    budget: { atLeast: 0.85 },
  },
  'kiam-rpc-cpu': { row: 'kiam-rpc', what: 'server: the same: CPU a call', unit: bare },
  'agent-anonymous': {
    row: 'agent',
    what: 'agent, 110 pods, after load: anonymous memory',
    unit: 'MB',
    budget: { atMost: 40 },
  },
  'agent-resident': {
    row: 'agent',
    what: 'agent, 110 pods, after load: resident memory',
    unit: 'MB',
    budget: { atMost: 90 },
  },
  'agent-idle': {
    row: 'agent',
    what: 'agent, 110 pods, idle: CPU',
    unit: '% of a core',
    budget: { atMost: 0.1 },
  },
  'standalone-few': {
    row: 'standalone',
    what: 'standalone, 110 pods, small cluster, after load: resident memory',
    unit: 'MB',
    budget: { atMost: 130 },
  },
  'standalone-many': {
    row: 'standalone',
    what: 'standalone, 110 pods, large cluster, after load: resident memory',
    unit: 'MB',
    budget: { atMost: 130 },
  },
  'standalone-v1-rate': {
    row: 'standalone',
    what: 'standalone: credentials, IMDSv1, 64 connections: requests/s',
    unit: bare,
    budget: { atLeast: 0.85 },
  },
  'standalone-v1-cpu': { row: 'standalone', what: `standalone: the same: ${cpu}`, unit: bare },
  'standalone-v1-p99': {
    row: 'standalone',
    what: 'standalone: the same: p99',
    unit: bare,
    budget: { atMost: 1.5 },
  },
  'standalone-v2-rate': {
    row: 'standalone',
    what: 'standalone: credentials, IMDSv2, 64 connections: requests/s',
    unit: bare,
    budget: { atLeast: 0.85 },
  },
  'standalone-v2-cpu': { row: 'standalone', what: `standalone: the same by IMDSv2: ${cpu}`, unit: bare },
  'standalone-v2-p99': {
    row: 'standalone',
    what: 'standalone: the same by IMDSv2: p99',
    unit: bare,
    budget: { atMost: 1.5 },
  },
  'server-streamed': {
    row: 'server',
    what: 'server, 10,000 pods of 5 kB listed as a stream, 50 agents: resident memory',
    unit: 'MB',
    budget: { atMost: 150 },
  },
  'server-paged': {
    row: 'server',
    what: 'server, 10,000 pods of 5 kB listed by pages, 50 agents: resident memory',
    unit: 'MB',
    budget: { atMost: 150 },
  },
  'server-per-pod': {
    row: 'server',
    what: 'server: live heap for each further pod',
    unit: 'kB',
    budget: { atMost: 3 },
  },
  'server-idle': {
    row: 'server',
    what: 'server, 10,000 pods, 50 agents, idle: CPU',
    unit: '% of a core',
    budget: { atMost: 1 },
  },
  'propagation-single': {
    row: 'propagation',
    what: 'pod in the API until credentials at the agent, one by one: p99 beyond STS',
    unit: 'ms',
    budget: { atMost: 50 },
  },
  'propagation-burst': {
    row: 'propagation',
    what: 'pod in the API until credentials at the agent, bursts of 30: p99 beyond STS',
    unit: 'ms',
    budget: { atMost: 50 },
  },
  'sts-calls': {
    row: 'sts-calls',
    what: 'STS calls for each identity and refresh period, 2 servers, 8 agents, 400 pods, 20 identities',
    unit: '',
    budget: { atMost: 1 },
  },
  'start-ping': {
    row: 'start',
    what: 'start of an agent until it answers',
    unit: 'ms',
    budget: { atMost: 500 },
  },
  'start-credentials': {
    row: 'start',
    what: 'start of an agent until it answers with credentials',
    unit: 'ms',
    budget: { atMost: 500 },
  },
  'start-source-ping': { row: 'start', what: 'from the sources: until it answers', unit: 'ms' },
  'start-source-credentials': {
    row: 'start',
    what: 'from the sources: until it answers with credentials',
    unit: 'ms',
  },
  'upgrade-failures': {
    row: 'upgrade',
    what: 'agent replaced under load: requests that failed',
    unit: '',
    budget: { atMost: 0 },
  },
  'restart-failures': {
    row: 'upgrade',
    what: 'all servers restarted under load: requests that failed',
    unit: '',
    budget: { atMost: 0 },
  },
} as const satisfies Record<string, Figure>;

export type FigureId = keyof typeof figures;

/** Every figure, in the order of the table. */
export const allFigures: readonly (Figure & { readonly id: FigureId })[] = (
  Object.keys(figures) as FigureId[]
).map((id) => ({ id, ...figures[id] }));
