// npm run test:faults: builds what ships, and lets it be killed, filled, stopped and starved. `--help` has the options.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../parts/locations.ts';
import { builtVariable, bundle } from './bundle.ts';
import { type Figure, figuresVariable } from './figures.ts';
import { longVariable, seed, seedVariable } from './settings.ts';

const usage = `usage: npm run test:faults [-- OPTIONS FILES]

Runs the tests of test/faults, or those of FILES, one after the other, with podpass as it ships.

  --long     ten minutes of kills, and 10,000 pods with 200 changes a second for ten minutes
  --seed N   all that is random comes from it (default: another one each time; it is shown)
  --help
`;

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      long: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(seed) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (!/^\d{1,10}$/.test(values.seed)) throw new Error(`--seed takes a number, not "${values.seed}"`);
  process.stdout.write(`seed ${values.seed}\n`);
  await bundle();
  const folder = mkdtempSync(join(tmpdir(), 'podpass-faults-'));
  const figures = join(folder, 'figures.jsonl');
  try {
    const files = positionals.length > 0 ? positionals : ['test/faults'];
    const script = join(projectRoot, 'scripts', 'test.ts');
    return await run([script, ...files, '--concurrency=1', `--timeout=${values.long ? '30m' : '5m'}`], {
      [builtVariable]: '1',
      [seedVariable]: values.seed,
      [figuresVariable]: figures,
      ...(values.long && { [longVariable]: '1' }),
    });
  } finally {
    if (existsSync(figures)) process.stdout.write(table(readFileSync(figures, 'utf8')));
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd: projectRoot,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function table(lines: string): string {
  const figures = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Figure);
  const width = Math.max(...figures.map(({ what }) => what.length));
  return `\n${figures.map(({ what, value }) => `${what.padEnd(width)}  ${value}\n`).join('')}`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`test:faults: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
