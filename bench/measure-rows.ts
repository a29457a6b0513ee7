import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyFrom, measureBusy } from './lib/busy.ts';
import { describeMachine } from './lib/machine.ts';
import { type Measurement, verdictOf } from './lib/measurement.ts';
import { buildBundle, nodeFlags } from './lib/podpass.ts';
import { renderTable } from './lib/render-table.ts';
import { figuresProblem, type Report } from './lib/report.ts';
import type { Row } from './lib/row.ts';
import type { BenchOptions } from './options.ts';
import { peersText } from './peers.ts';

export const resultsFolder = join(import.meta.dirname, 'results');
export const latestReport = join(resultsFolder, 'latest.json');

/** Measures rows one after the other and tells of it. The status to exit with: 1 when a row could not be measured. */
export async function measureRows(options: BenchOptions, say: (text: string) => void): Promise<number> {
  const size = options.smoke ? 'smoke' : options.quick ? 'quick' : 'whole';
  mkdirSync(resultsFolder, { recursive: true });
  const machine = await describeMachine();
  say(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, load ${machine.load.toFixed(2)}; ` +
      `Node ${machine.node}${flagsText()}; podpass ${machine.commit}; ${size}`,
  );
  await buildBundle();

  const began = performance.now();
  const measurements: Measurement[] = [];
  const failures: { readonly row: string; readonly problem: string }[] = [];
  const busy: Record<string, number> = {};
  for (const row of options.rows) {
    say(`\n${row.name}: ${row.title}`);
    const share = await measureBusy();
    busy[row.name] = share;
    if (share > busyFrom) say(`  ${busyText(share)}`);
    try {
      const figures = await measureRow(row, options, say);
      measurements.push(...figures);
      const problem = figuresProblem(row.name, figures);
      if (problem !== undefined) failures.push({ row: row.name, problem });
    } catch (error) {
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      failures.push({ row: row.name, problem });
      say(`  could not be measured: ${problem}`);
    }
  }

  const report: Report = {
    at: new Date().toISOString(),
    size,
    machine,
    nodeFlags,
    busy,
    measurements: measurements.map((measurement) => ({ ...measurement, verdict: verdictOf(measurement) })),
    failures,
  };
  for (const file of [latestReport, ...(options.json === undefined ? [] : [options.json])])
    writeFileSync(file, `${JSON.stringify({ ...report, peers: peersOf(measurements) }, undefined, 2)}\n`);
  say(`\n${renderTable(measurements, { isJudged: size !== 'smoke', under: ({ id }) => peersText(id) })}`);
  sayEnd(report, say, (performance.now() - began) / 1_000);
  return failures.length > 0 ? 1 : 0;
}

function sayEnd(
  { measurements, failures, busy, size }: Report,
  say: (text: string) => void,
  seconds: number,
) {
  const most = Math.max(...Object.values(busy));
  if (most > busyFrom) say(`\n${busyText(most)}`);
  const missed = measurements.filter(({ verdict }) => verdict === 'MISSED').length;
  const judged =
    size === 'smoke'
      ? `${measurements.length} figures, which a smoke test does not judge`
      : `${missed} of ${measurements.length} figures miss their budget`;
  say(`\n${judged}; ${failures.length} rows could not be measured; ${Math.round(seconds)} s`);
  for (const { row, problem } of failures) say(`${row} could not be measured: ${problem.split('\n')[0]}`);
}

async function measureRow(
  row: Row,
  { quick, smoke, flame }: BenchOptions,
  say: (text: string) => void,
): Promise<readonly Measurement[]> {
  const cleanups: (() => unknown)[] = [];
  try {
    return await row.measure({
      quick,
      smoke,
      ...(flame !== undefined && { flame: { file: flame } }),
      note: (text) => say(`  ${text}`),
      onEnd: (cleanup) => cleanups.push(cleanup),
    });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function busyText(share: number): string {
  return (
    `others use ${Math.round(share)} % of this machine: rates, latencies and start times are not to be trusted. ` +
    'CPU a request, memory and counts are.'
  );
}

function peersOf(measurements: readonly Measurement[]): Record<string, string> {
  return Object.fromEntries(
    measurements.flatMap(({ id }) => {
      const text = peersText(id);
      return text === undefined ? [] : [[id, text]];
    }),
  );
}

function flagsText(): string {
  const tried = Object.entries(nodeFlags).filter(([, flags]) => flags.length > 0);
  return tried.map(([process, flags]) => `, ${process} with ${flags.join(' ')}`).join('');
}
