import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureBusy } from '../lib/busy.ts';
import { describeMachine, type Machine } from '../lib/machine.ts';
import { buildBundle } from '../lib/podpass.ts';
import type { Size } from '../lib/report.ts';
import type { BenchOptions } from '../options.ts';
import type { Dimension } from './dimensions/dimension.ts';
import { identities } from './dimensions/identities.ts';
import { nodes } from './dimensions/nodes.ts';
import { podsOfCluster } from './dimensions/pods-of-cluster.ts';
import { podsOfNode } from './dimensions/pods-of-node.ts';
import { replicas } from './dimensions/replicas.ts';
import { renderProjection, renderSeries } from './render-scaling.ts';
import type { Series } from './series.ts';

const folder = join(import.meta.dirname, '../results');
export const scalingReport = join(folder, 'scaling.json');

/** A run with `--scaling`, as it is written to `bench/results/scaling.json`. */
export interface ScalingReport {
  readonly at: string;
  readonly size: Size;
  readonly machine: Machine;
  /** How busy the machine was before it began, in percent of all cores. */
  readonly busy: number;
  readonly series: Readonly<Record<Dimension['name'], Series>>;
}

const dimensions: readonly Dimension[] = [podsOfNode, podsOfCluster, nodes, identities, replicas];

/** Measures how cost grows and prints it, with what a large installation takes by that. @throws what hinders it */
export async function measureScaling(
  { quick, smoke, json }: BenchOptions,
  say: (text: string) => void,
): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const machine = await describeMachine();
  const busy = await measureBusy();
  await buildBundle();
  const began = performance.now();
  const series: Partial<Record<Dimension['name'], Series>> = {};
  for (const dimension of dimensions) {
    say(`\n${dimension.title}`);
    series[dimension.name] = await measureOne(dimension, { quick, smoke }, say);
  }
  const report = {
    at: new Date().toISOString(),
    size: smoke ? 'smoke' : quick ? 'quick' : 'whole',
    machine,
    busy,
    series: series as Record<Dimension['name'], Series>,
  } satisfies ScalingReport;
  for (const file of [scalingReport, ...(json === undefined ? [] : [json])])
    writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  say(`\n${renderSeries(report.series)}`);
  // A smoke test waits for no refresh.
  if (!smoke) say(`\n${renderProjection(report.series)}`);
  say(`\n${Math.round((performance.now() - began) / 1_000)} s`);
  return 0;
}

async function measureOne(
  dimension: Dimension,
  size: Pick<BenchOptions, 'quick' | 'smoke'>,
  say: (text: string) => void,
): Promise<Series> {
  const cleanups: (() => unknown)[] = [];
  try {
    return await dimension.measure({
      ...size,
      note: (text) => say(`  ${text}`),
      onEnd: (cleanup) => cleanups.push(cleanup),
    });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}
