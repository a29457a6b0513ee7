// npm run fuzz: see `fuzzUsage` in arguments.ts.

import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf } from '../../src/base/errors.ts';
import { type FuzzArguments, fuzzUsage, parseFuzzArguments } from './arguments.ts';
import { readCommitted, writeCommitted, writeFound, writeLocal } from './engine/corpus-files.ts';
import type { FuzzOutcome } from './engine/fuzz-loop.ts';
import { createRunInput } from './engine/run-input.ts';
import { runTarget } from './engine/run-target.ts';
import { loadTarget } from './load-target.ts';
import { targetNames } from './target-names.ts';

const out = (line: string) => process.stdout.write(`${line}\n`);

async function replay(name: string, files: readonly string[]): Promise<number> {
  const target = await loadTarget(name);
  const open = await target.open();
  const runInput = createRunInput(target, open);
  let failed = 0;
  for (const file of files) {
    const failure = await runInput(readFileSync(file));
    out(`${failure ? `FAILED  ${file}: ${failure.what}` : `ok      ${file}`}`);
    if (failure) {
      failed += 1;
      out(failure.stack);
    }
  }
  await open.close?.();
  return failed === 0 ? 0 : 1;
}

function report(name: string, { statistics, kept, failure }: FuzzOutcome, seconds: number): void {
  const { executions, reached, points } = statistics;
  const rate = Math.round(executions / seconds);
  const facts = `${executions} inputs, ${rate}/s, ${kept.length} kept, ${reached} of ${points} points reached`;
  out(`${failure ? 'FAILED' : 'ok    '}  ${name.padEnd(18)} ${facts}`);
  if (!failure) return;
  const file = writeFound(name, failure.input);
  out(`        ${failure.what}`);
  out(failure.stack.replaceAll(/^/gm, '        '));
  out(`        ${JSON.stringify(Buffer.from(failure.input).toString('latin1').slice(0, 400))}`);
  out(`        npm run fuzz -- --target ${name} ${file}`);
}

async function fuzz(args: FuzzArguments): Promise<number> {
  const names = args.targets.length > 0 ? args.targets : targetNames();
  const seed = args.seed ?? randomInt(2 ** 32);
  const end = performance.now() + args.seconds * 1_000;
  out(`seed ${seed}`);
  let failed = 0;
  for (const [index, name] of names.entries()) {
    const start = performance.now();
    const share = Math.max(0.5, (end - start) / 1_000 / (names.length - index));
    const { executions: mostExecutions } = args;
    const outcome = await runTarget({
      target: name,
      seed,
      endsAt: Date.now() + share * 1_000,
      mostExecutions,
      distil: args.distil,
    });
    report(name, outcome, (performance.now() - start) / 1_000);
    if (outcome.failure) failed += 1;
    else {
      const known = new Set(readCommitted(name).map(({ bytes }) => Buffer.from(bytes).toString('latin1')));
      writeLocal(
        name,
        outcome.kept.filter((bytes) => !known.has(Buffer.from(bytes).toString('latin1'))),
      );
      if (outcome.distilled) writeCommitted(name, outcome.distilled);
    }
  }
  out(failed === 0 ? `${names.length} targets held` : `${failed} of ${names.length} targets did not hold`);
  return failed === 0 ? 0 : 1;
}

async function main(argv: readonly string[]): Promise<number> {
  let args: FuzzArguments;
  try {
    args = parseFuzzArguments(argv, targetNames());
  } catch (error) {
    process.stderr.write(`fuzz: ${messageOf(error)}\n${fuzzUsage}`);
    return 2;
  }
  if (args.help) out(fuzzUsage);
  else if (args.list)
    for (const name of targetNames()) out(`${name.padEnd(18)} ${(await loadTarget(name)).about}`);
  else if (args.files.length > 0) return replay(args.targets[0] ?? '', args.files);
  else return fuzz(args);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
