import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createSeededRandom } from '../../../src/base/random.ts';
import { BrokenProperty, type FuzzTarget } from '../fuzz-target.ts';
import { createFeedback } from './feedback.ts';
import { fuzzLoop } from './fuzz-loop.ts';
import { installInstrumentation } from './install-instrumentation.ts';
import { createRunInput } from './run-input.ts';
import { shrink } from './shrink.ts';
import { textOf } from './text.ts';

const mostExecutions = 25_000;
const feedback = createFeedback();
const blind = createFeedback();
let planted: (text: string) => number;

before(async () => {
  installInstrumentation(feedback, (path) => path.endsWith('planted.fixture.ts'));
  ({ planted } = await import('./planted.fixture.ts'));
});

const toy: FuzzTarget = {
  name: 'toy',
  about: 'a planted defect',
  seeds: ['x'],
  maxBytes: 64,
  open: () => ({ run: (input) => void planted(textOf(input)) }),
};

async function loop(seed: number, options: { blind?: boolean; target?: FuzzTarget } = {}) {
  const target = options.target ?? toy;
  return fuzzLoop({
    target,
    open: await target.open(),
    feedback: options.blind ? blind : feedback,
    random: createSeededRandom(seed),
    corpus: [],
    goOn: () => true,
    mostExecutions,
  });
}

describe('the loop', () => {
  it('finds a planted defect, led by what inputs reach', async () => {
    let found = 0;
    for (const seed of [2, 3, 4, 5, 6]) {
      const { failure } = await loop(seed);
      if (failure?.what === 'TypeError: planted') found += 1;
    }
    assert.ok(found >= 4, `found from ${found} of 5 seeds`);
  });

  it('does not find it when it is not told what they reach', async () => {
    for (const seed of [2, 3, 4]) {
      const { failure, statistics } = await loop(seed, { blind: true });
      assert.equal(failure, undefined);
      assert.ok(statistics.executions >= mostExecutions);
    }
  });

  it('makes the same inputs from the same seed', async () => {
    const [first, second, other] = [await loop(2), await loop(2), await loop(3)];
    assert.deepEqual(first.failure?.input, second.failure?.input);
    assert.equal(first.statistics.executions, second.statistics.executions);
    assert.deepEqual(first.kept, second.kept);
    assert.notDeepEqual(first.kept, other.kept);
  });

  it('ends when there is no time left', async () => {
    let left = 100;
    const { statistics, failure, cutShort } = await fuzzLoop({
      target: toy,
      open: await toy.open(),
      feedback,
      random: createSeededRandom(1),
      corpus: [],
      goOn: () => left-- > 0,
    });
    assert.equal(failure, undefined);
    assert.equal(cutShort, false);
    assert.ok(statistics.executions >= 100 && statistics.executions <= 300, String(statistics.executions));
  });

  it('says when there was no time for what it began with', async () => {
    const corpus = ['a', 'b', 'c'].map((text) => Buffer.from(text));
    const { cutShort } = await fuzzLoop({
      target: toy,
      open: await toy.open(),
      feedback,
      random: createSeededRandom(1),
      corpus,
      goOn: () => false,
    });
    assert.equal(cutShort, true);
  });

  it('never makes an input longer than the target takes', async () => {
    let longest = 0;
    const run = (input: Uint8Array) => {
      longest = Math.max(longest, input.length);
    };
    await loop(1, { target: { ...toy, maxBytes: 20, open: () => ({ run }) } });
    assert.equal(longest, 20);
  });

  it('takes an input that is slow each time for a finding', async () => {
    const run = () => {
      const before = process.threadCpuUsage().user;
      while (process.threadCpuUsage().user < before + 30_000);
    };
    const { failure } = await loop(1, { target: { ...toy, slowMillis: 10, open: () => ({ run }) } });
    assert.match(
      failure?.what ?? '',
      /^BrokenProperty: takes \d+ ms of the processor each time, more than 10$/,
    );
  });
});

describe('shrinking', () => {
  it('leaves what makes an input fail', async () => {
    const open = {
      run(input: Uint8Array) {
        if (/a.*b/s.test(textOf(input))) throw new BrokenProperty('a before b');
      },
    };
    const runInput = createRunInput(toy, open);
    const failure = await runInput(Buffer.from('some text that has an a and, much later, a b in its midst'));
    assert.ok(failure);
    const small = await shrink(failure, runInput, () => true);
    assert.equal(textOf(small.input), 'ab');
    assert.equal(small.what, 'BrokenProperty: a before b');
  });
});
