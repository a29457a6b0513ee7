// npm run simulate: runs simulated clusters, each from a seed, and checks the history of each. docs/simulation.md says
// what is simulated and what is promised.
//
//     npm run simulate -- --seeds 10000        so many seeds, from --from on (default: from 1)
//     npm run simulate -- --seed 158           one seed, with its story
//     npm run simulate -- --minutes 480        seed after seed, for so long
//     npm run simulate -- --mutants            switches each protection off in turn: the checker has to find it
//     npm run simulate -- --mutant relist      one of them
//     npm run simulate -- --mutants --write    the same, and writes down where each was found
//     npm run simulate -- --known              each of them where it was found before: seconds
//
// The exit status is 1 when a promise was not kept, or when the checker found nothing where a protection was missing.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/base/errors.ts';
import { tallyOf } from './check/tally.ts';
import { readKnownSeeds, writeKnownSeeds } from './mutants/known-seeds.ts';
import { mutants } from './mutants/mutants.ts';
import { mutantNamed } from './mutants/mutate.ts';
import { describeTally, describeViolation } from './report.ts';
import { runSeed } from './run-seed.ts';
import { type FoundMutant, isStillFound, searchMutant } from './search-mutant.ts';
import { searchSeeds } from './search-seeds.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    mutant: { type: 'string', multiple: true, default: [] },
    mutants: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    known: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  const workers = whole('workers', values.workers);
  const from = whole('from', values.from);
  if (values.seed !== undefined) return tellStory(whole('seed', values.seed));
  if (values.known) return findKnown();
  if (values.mutants || values.mutant.length > 0)
    return findMutants(values.mutant, workers, whole('seeds', values.seeds));
  const minutes = values.minutes === undefined ? undefined : whole('minutes', values.minutes);
  return searchSeeds({
    workers,
    from,
    ...(minutes === undefined ? { seeds: whole('seeds', values.seeds) } : { minutes }),
    say,
  });
}

/** Runs one seed and prints all that happened. */
async function tellStory(seed: number): Promise<number> {
  const { violations, history, millis } = await runSeed(seed, say);
  say(`\nseed ${seed}: ${describeTally(tallyOf(history, millis))}`);
  for (const violation of violations) say(describeViolation(violation));
  if (violations.length === 0) say('every promise was kept');
  return violations.length === 0 ? 0 : 1;
}

async function findMutants(names: readonly string[], workers: number, seeds: number): Promise<number> {
  const chosen = names.length === 0 ? mutants : names.map((name) => mutantNamed(mutants, name));
  const all = new Map<string, FoundMutant>();
  for (const mutant of chosen) {
    const found = await searchMutant(mutant, workers, seeds);
    if (found) all.set(mutant.name, found);
    const where = found ? `found by seed ${found.seed} as ${found.rule}` : `NOT found in ${seeds} seeds`;
    say(`${mutant.name.padEnd(20)} ${where}: ${mutant.what}`);
  }
  if (values.write) writeKnownSeeds(new Map([...(names.length === 0 ? [] : readKnownSeeds()), ...all]));
  say(`\n${all.size} of ${chosen.length} missing protections were found`);
  return all.size === chosen.length ? 0 : 1;
}

/** Each mutant where it was found before. */
async function findKnown(): Promise<number> {
  const known = readKnownSeeds();
  let missed = 0;
  for (const mutant of mutants) {
    const before = known.get(mutant.name);
    const isFound = before !== undefined && (await isStillFound(mutant, before));
    if (!isFound) missed += 1;
    say(
      `${mutant.name.padEnd(20)} ${isFound ? 'found' : 'NOT FOUND'} by seed ${before?.seed}: ${mutant.what}`,
    );
  }
  say(`\n${mutants.length - missed} passed, ${missed} failed`);
  if (missed > 0) say('What was simulated has changed? Search anew: npm run simulate -- --mutants --write');
  return missed === 0 ? 0 : 1;
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`--${name} ${text} is not a whole number from 0 on`);
  return value;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`simulate: ${messageOf(error)}\n`);
  process.exitCode = 2;
}
