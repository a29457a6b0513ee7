import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readCommitted } from './engine/corpus-files.ts';
import { createRunInput, type RunInput } from './engine/run-input.ts';
import { bytesOf, type OpenTarget } from './fuzz-target.ts';
import { loadTarget } from './load-target.ts';
import { targetNames } from './target-names.ts';

/** Other tests run at the same time: an input that takes exponential time is slow all the same. */
const lenience = 10;

for (const name of targetNames()) {
  const target = await loadTarget(name);
  const inputs = [
    ...target.seeds.map((seed, index) => ({ name: `seed ${index}`, bytes: bytesOf(seed) })),
    ...readCommitted(name),
  ];
  describe(`the corpus of ${name}`, () => {
    let open: OpenTarget;
    let runInput: RunInput;
    before(async () => {
      open = await target.open();
      runInput = createRunInput(target, open, undefined, lenience);
    });
    after(() => open.close?.());

    it(`holds: ${inputs.length} inputs`, async () => {
      for (const { name: file, bytes } of inputs) {
        const failure = await runInput(bytes);
        assert.equal(failure, undefined, `${file}: ${failure?.what}\n${failure?.stack}`);
      }
    });
  });
}
