// npm run bench: measures podpass against its budgets and prints a table. docs/performance.md says what is measured
// and how; `npm run bench -- --help` lists the options.
//
// A budget that is missed is shown and is no failure. The exit status is 1 when something could not be measured.

import { execFileSync } from 'node:child_process';
import { missingWrk } from './lib/wrk.ts';
import { measureRows } from './measure-rows.ts';
import { parseOptions, usage } from './options.ts';
import { rows } from './rows/all.ts';
import { measureScaling } from './scaling/measure-scaling.ts';
import { projectScaling } from './scaling/project-scaling.ts';
import { writePerformancePage } from './write-performance-page.ts';

/** What is measured starts as it does where it is installed. */
delete process.env.NODE_COMPILE_CACHE;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), rows);
  switch (options.mode) {
    case 'help':
      say(usage);
      return 0;
    case 'project':
      return projectScaling(options, say);
    case 'docs':
      return writePerformancePage(say);
    case 'scaling':
      needLinux();
      return measureScaling(options, say);
    case 'measure':
      needLinux();
      needWrk();
      return measureRows(options, say);
  }
}

/** What was started ends with the bench, however it ends: whoever started it listens for this process's exit. */
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const)
  process.once(signal, () => process.exit(128 + number));

function needLinux(): void {
  if (process.platform !== 'linux')
    throw new Error('the bench reads /proc and uses all of 127.0.0.0/8: it needs Linux');
}

function needWrk(): void {
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
