// npm run lint: checks all that must hold of the source. `npm run lint -- --fix` formats first.

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/base/errors.ts';
import { type LintCheck, type LintOptions, lintChecks } from './lint-checks.ts';

const shownLines = 150;

async function runCheck(check: LintCheck, options: LintOptions): Promise<boolean> {
  const start = performance.now();
  const wrong = await check.run(options).catch(messageOf);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  process.stdout.write(`${wrong === '' ? '✔' : '✖'} ${check.name}  ${seconds} s\n`);
  if (wrong === '') return true;
  const lines = wrong.split('\n');
  const rest = lines.length > shownLines ? [`... and ${lines.length - shownLines} lines more`] : [];
  process.stdout.write([...lines.slice(0, shownLines), ...rest].map((line) => `    ${line}\n`).join(''));
  return false;
}

async function main(argv: readonly string[]): Promise<number> {
  let fix: boolean;
  try {
    const { values } = parseArgs({ args: [...argv], options: { fix: { type: 'boolean', default: false } } });
    fix = values.fix;
  } catch (error) {
    process.stderr.write(`lint: ${messageOf(error)}\nusage: npm run lint [-- --fix]\n`);
    return 2;
  }
  const options = { root: resolve(import.meta.dirname, '..'), fix, signal: new AbortController().signal };
  const waiting = [...lintChecks];
  let good = true;
  // What --fix writes, the others read.
  const [first] = waiting;
  if (fix && first) {
    waiting.shift();
    good = await runCheck(first, options);
  }
  const worker = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift())
      good = (await runCheck(check, options)) && good;
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return good ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
