import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutants } from './mutants/mutants.ts';
import { mutatedText } from './mutants/mutate.ts';
import { regressions } from './regressions.ts';
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

describe('a simulated cluster', () => {
  it('keeps every promise, whatever happens to it, in the first 40 seeds', async () => {
    for (let seed = 1; seed <= 40; seed += 1) await keepsItsPromises(seed);
  });

  for (const { seed, mutant } of regressions) {
    it(`keeps every promise in seed ${seed}, which without ${mutant} breaks one`, () =>
      keepsItsPromises(seed));
  }

  it('tells the same story for the same seed', async () => {
    const story = await storyOf(11);
    assert.ok(story.length > 100, `${story.length} lines`);
    assert.deepEqual(await storyOf(11), story);
  });
});

describe('a protection that is switched off', () => {
  for (const mutant of mutants) {
    it(`is there to be switched off: ${mutant.name}`, () => {
      assert.ok(mutatedText(mutant).includes(mutant.replace));
      assert.notEqual(mutant.find, mutant.replace);
    });
  }

  it('has one name for each, and regressions name those there are', () => {
    const names = mutants.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { mutant } of regressions) assert.ok(names.includes(mutant), mutant);
  });

  it('is found missing by the checker', async () => {
    const [mutant] = mutants.filter(({ name }) => name === 'namespace-rule');
    assert.ok(mutant);
    const found = await searchMutant(mutant, 1, 40);
    assert.equal(found?.rule, 'not-permitted');
  });
});
