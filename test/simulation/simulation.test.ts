import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readKnownSeeds, renderTable, tableOfPage } from './mutants/known-seeds.ts';
import { mutants } from './mutants/mutants.ts';
import { mutatedTexts } from './mutants/mutate.ts';
import { describeViolation, replayLine } from './report.ts';
import { runSeed } from './run-seed.ts';
import { searchMutant } from './search-mutant.ts';

async function keepsItsPromises(seed: number): Promise<void> {
  const { violations } = await runSeed(seed);
  assert.deepEqual(violations.map(describeViolation), [], replayLine(seed));
}

async function storyOf(seed: number): Promise<string[]> {
  const lines: string[] = [];
  await runSeed(seed, (line) => lines.push(line));
  return lines;
}

/** What was found, where no protection that can be switched off shows it. */
const found = [
  [2788, 'a refusal of STS was believed for as long as STS could not be asked again'],
  [1254, 'the checker took a server to know what arrived in the same instant, behind what it was telling'],
  [9028, 'the checker took silence about a namespace for news, before the node had a pod of it'],
] as const;

describe('a simulated cluster', () => {
  it('keeps every promise, whatever happens to it, in the first 40 seeds', async () => {
    for (let seed = 1; seed <= 40; seed += 1) await keepsItsPromises(seed);
  });

  for (const [mutant, { seed }] of readKnownSeeds()) {
    it(`keeps every promise in seed ${seed}, which without ${mutant} breaks one`, () =>
      keepsItsPromises(seed));
  }

  for (const [seed, what] of found)
    it(`keeps every promise in seed ${seed}: ${what}`, () => keepsItsPromises(seed));

  it('tells the same story for the same seed', async () => {
    const story = await storyOf(11);
    assert.ok(story.length > 100, `${story.length} lines`);
    assert.deepEqual(await storyOf(11), story);
  });
});

describe('a protection that is switched off', () => {
  for (const mutant of mutants) {
    it(`is there to be switched off: ${mutant.name}`, () => {
      for (const [file, text] of mutatedTexts(mutant)) assert.ok(text.length > 0, file);
    });
  }

  it('has one name for each, and a known seed', () => {
    const names = mutants.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.deepEqual([...readKnownSeeds().keys()].sort(), names.sort());
  });

  it('stands in docs/simulation.md as it was found', () => {
    assert.equal(tableOfPage(), renderTable(readKnownSeeds()).trim());
  });

  it('is found missing by the checker', async () => {
    const [mutant] = mutants.filter(({ name }) => name === 'annotation-change');
    assert.ok(mutant);
    const found = await searchMutant(mutant, 1, 40);
    assert.equal(found?.rule, 'wrong-credentials');
  });
});
