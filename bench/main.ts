// npm run bench: measures podpass against its budgets and prints a table. docs/performance.md says what is measured
// and how.
//
//     npm run bench                          everything, some eight minutes
//     npm run bench -- --quick               fewer and shorter rounds
//     npm run bench -- --only metadata       one row; may be given more than once
//     npm run bench -- --json FILE           the figures, beside bench/results/latest.json
//
// A budget that is missed is shown and is no failure. The exit status is 1 when something could not be measured.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from './lib/machine.ts';
import { type Measurement, verdictOf } from './lib/measurement.ts';
import { buildBundle, nodeFlags } from './lib/podpass.ts';
import { renderTable } from './lib/render-table.ts';
import type { Row } from './lib/row.ts';
import { missingWrk } from './lib/wrk.ts';
import { rows } from './rows/all.ts';

const results = join(import.meta.dirname, 'results');

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});

async function main(): Promise<number> {
  const chosen = chooseRows(values.only);
  if (process.platform !== 'linux')
    throw new Error('the bench reads /proc and uses all of 127.0.0.0/8: it needs Linux');
  findWrk();
  mkdirSync(results, { recursive: true });
  const machine = await describeMachine();
  say(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, load ${machine.load.toFixed(2)}; ` +
      `Node ${machine.node}${flagsText()}; podpass ${machine.commit}${values.quick ? '; quick' : ''}`,
  );
  await buildBundle();

  const began = performance.now();
  const measurements: Measurement[] = [];
  const failures: { readonly row: string; readonly problem: string }[] = [];
  for (const row of chosen) {
    say(`\n${row.name}: ${row.title}`);
    try {
      measurements.push(...(await measure(row)));
    } catch (error) {
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      failures.push({ row: row.name, problem });
      say(`  could not be measured: ${problem}`);
    }
  }

  const report = JSON.stringify(
    {
      at: new Date().toISOString(),
      machine,
      nodeFlags,
      quick: values.quick,
      measurements: measurements.map((measurement) => ({ ...measurement, verdict: verdictOf(measurement) })),
      failures,
    },
    undefined,
    2,
  );
  for (const file of [join(results, 'latest.json'), ...(values.json === undefined ? [] : [values.json])])
    writeFileSync(file, `${report}\n`);
  say(`\n${renderTable(measurements)}`);
  const missed = measurements.filter((measurement) => verdictOf(measurement) === 'MISSED').length;
  say(
    `\n${missed} of ${measurements.length} figures miss their budget; ${failures.length} rows could not be measured; ` +
      `${Math.round((performance.now() - began) / 1_000)} s`,
  );
  return failures.length > 0 ? 1 : 0;
}

async function measure(row: Row): Promise<readonly Measurement[]> {
  const cleanups: (() => unknown)[] = [];
  try {
    return await row.measure({
      quick: values.quick,
      note: (text) => say(`  ${text}`),
      onEnd: (cleanup) => cleanups.push(cleanup),
    });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function chooseRows(names: readonly string[]): readonly Row[] {
  for (const name of names) {
    if (rows.some((row) => row.name === name)) continue;
    throw new Error(`--only ${name}: there are ${rows.map((row) => row.name).join(', ')}`);
  }
  return names.length === 0 ? rows : rows.filter(({ name }) => names.includes(name));
}

function flagsText(): string {
  const tried = Object.entries(nodeFlags).filter(([, flags]) => flags.length > 0);
  return tried.map(([process, flags]) => `, ${process} with ${flags.join(' ')}`).join('');
}

function findWrk(): void {
  try {
    // It has no option that does nothing; asked for its version it says so and ends with status 1.
    execFileSync('wrk', ['--version'], { stdio: 'ignore' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw new Error(missingWrk);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
