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

function report(name: string, { statistics, kept, failure, cutShort }: FuzzOutcome, seconds: number): void {
  const { executions, reached, points } = statistics;
  const rate = Math.round(executions / seconds);
  const facts = `${executions} inputs, ${rate}/s, ${kept.length} kept, ${reached} of ${points} points reached${cutShort ? '; no time for all of its corpus' : ''}`;
  out(`${failure ? 'FAILED' : 'ok    '}  ${name.padEnd(18)} ${facts}`);
  if (!failure) return;
  const file = writeFound(name, failure.input);
  out(`        ${failure.what}`);
  out(failure.stack.replaceAll(/^/gm, '        '));
  out(`        ${JSON.stringify(Buffer.from(failure.input).toString('latin1').slice(0, 400))}`);
  out(`        npm run fuzz -- --target ${name} ${file}`);
}

/** Puts what was reached where the next run begins, and into git where that was asked for. */
function keep(name: string, { kept, distilled, cutShort }: FuzzOutcome): void {
  if (cutShort) return;
  const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
  const known = new Set(readCommitted(name).map(({ bytes }) => textOf(bytes)));
  writeLocal(
    name,
    kept.filter((bytes) => !known.has(textOf(bytes))),
  );
  if (distilled) writeCommitted(name, distilled);
}

async function fuzz(args: FuzzArguments): Promise<number> {
  const names = args.targets.length > 0 ? args.targets : targetNames();
  const seed = args.seed ?? randomInt(2 ** 32);
  const end = performance.now() + args.seconds * 1_000;
  out(`seed ${seed}`);
  const waiting = [...names];
  let failed = 0;
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const start = performance.now();
      // Each of those that are left gets as much as the others, whatever the ones before took.
      const share = Math.max(1, ((end - start) / 1_000) * Math.min(1, args.jobs / (waiting.length + 1)));
      const outcome = await runTarget({
        target: name,
        seed,
        seconds: share,
        mostExecutions: args.executions,
        distil: args.distil,
      });
      report(name, outcome, (performance.now() - start) / 1_000);
      if (outcome.failure) failed += 1;
      else keep(name, outcome);
    }
  };
  await Promise.all(Array.from({ length: args.jobs }, work));
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
