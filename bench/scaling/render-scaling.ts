import { formatNumber } from '../lib/render-table.ts';
import { type Measured, project, type Scenario } from './project.ts';
import { lineOf, type Series } from './series.ts';

type AllSeries = Measured & { readonly replicas: Series };

/** What each more costs, in words. */
const costs: readonly {
  readonly series: keyof AllSeries;
  readonly value: string;
  readonly what: string;
  readonly unit: string;
  readonly scale?: number;
}[] = [
  { series: 'podsOfNode', value: 'heapKb', what: 'agent: live heap for each pod of its node', unit: 'kB' },
  {
    series: 'podsOfNode',
    value: 'idlePercent',
    what: 'agent: CPU at rest for each pod',
    unit: '% of a core',
  },
  {
    series: 'podsOfCluster',
    value: 'heapKb',
    what: 'server: live heap for each pod of the cluster',
    unit: 'kB',
  },
  {
    series: 'podsOfCluster',
    value: 'residentMb',
    what: 'server: resident memory for each pod',
    unit: 'kB',
    scale: 1e3,
  },
  { series: 'nodes', value: 'heapKb', what: 'server: live heap for each agent', unit: 'kB' },
  { series: 'nodes', value: 'idlePercent', what: 'server: CPU at rest for each agent', unit: '% of a core' },
  { series: 'nodes', value: 'openingCpuMs', what: 'server: CPU for an agent that comes', unit: 'ms' },
  { series: 'nodes', value: 'idleBytesPerSecond', what: 'network at rest for each agent', unit: 'B/s' },
  { series: 'identities', value: 'heapKb', what: 'server: live heap for each identity', unit: 'kB' },
  { series: 'identities', value: 'stsCalls', what: 'STS calls for each identity, at first', unit: '' },
  {
    series: 'identities',
    value: 'refreshStsCalls',
    what: 'STS calls for each identity and refresh',
    unit: '',
  },
  {
    series: 'identities',
    value: 'refreshCpuMs',
    what: 'server: CPU for the refresh of an identity',
    unit: 'ms',
  },
  { series: 'replicas', value: 'stsCalls', what: 'STS calls for each further replica', unit: '' },
];

/** Slopes and the points they come from, for a terminal and for the page: the same table. */
export function renderSeries(all: AllSeries): string {
  const rows = costs
    .filter(({ series, value }) => all[series].points.filter(({ values }) => value in values).length > 1)
    .map(({ series, value, what, unit, scale = 1 }) => {
      const { slope } = lineOf(all[series], value);
      const points = all[series].points.flatMap(({ n, values: { [value]: y } }) =>
        y === undefined ? [] : [`${formatNumber(n)}: ${formatNumber(y)}`],
      );
      return [what, `${formatSlope(slope * scale)}${unit === '' ? '' : ` ${unit}`}`, points.join('; ')];
    });
  const newPod = (name: string) =>
    all.podsOfCluster.points.flatMap(({ n, values: { [name]: y } }) =>
      y === undefined ? [] : [`up to ${formatNumber(n)}: ${formatNumber(y)}`],
    );
  rows.push(
    ['server: CPU for each new pod, pushed to its agent, in ms', '', newPod('newPodCpuMs').join('; ')],
    ['network for each new pod, in bytes', '', newPod('newPodPushedBytes').join('; ')],
  );
  return markdown(['what', 'for one more', 'measured, by how many there were'], rows);
}

/** A large cluster whose pods share identities as they do, and one in which none does. */
export const scenarios: readonly (Scenario & { readonly title: string })[] = [
  {
    title: '5,000 nodes, 150,000 pods, 3,000 identities',
    nodes: 5_000,
    pods: 150_000,
    identities: 3_000,
    replicas: 3,
    sessionSeconds: 3_600,
    newPodsPerSecond: 50,
    stsRate: 50,
  },
  {
    title: 'the same with an identity for each pod, which is the most there can be',
    nodes: 5_000,
    pods: 150_000,
    identities: 150_000,
    replicas: 3,
    sessionSeconds: 3_600,
    newPodsPerSecond: 50,
    stsRate: 300,
  },
];

/** What the large clusters take by these slopes, with the arithmetic. */
export function renderProjection(all: AllSeries): string {
  return scenarios
    .map(({ title, ...scenario }) => {
      const rows = project(all, scenario).map(({ what, value, unit, arithmetic }) => [
        what,
        `${formatNumber(value)}${unit === '' ? '' : ` ${unit}`}`,
        arithmetic,
      ]);
      return `${title}:\n\n${markdown(['what', 'on paper', 'arithmetic'], rows)}`;
    })
    .join('\n\n');
}

function formatSlope(value: number): string {
  return Math.abs(value) < 0.1 ? String(Number(value.toPrecision(2))) : formatNumber(value);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
