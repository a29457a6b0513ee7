import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBackoff } from './backoff.ts';
import { createSeededRandom } from './random.ts';

describe('backoff', () => {
  it('doubles from the first wait to the longest, each between half and all of it', () => {
    const backoff = createBackoff({ initial: 100, max: 1_000 }, createSeededRandom(1));
    for (const grown of [100, 200, 400, 800, 1_000, 1_000]) {
      const wait = backoff.next();
      assert.ok(wait >= grown / 2 && wait <= grown, `${wait} of ${grown}`);
    }
  });

  it('starts afresh after a success', () => {
    const backoff = createBackoff({ initial: 100, max: 1_000, factor: 10 }, createSeededRandom(2));
    backoff.next();
    assert.ok(backoff.next() > 100);
    backoff.reset();
    assert.ok(backoff.next() <= 100);
  });

  it('spreads callers that failed together', () => {
    const waits = new Set<number>();
    const random = createSeededRandom(3);
    for (let i = 0; i < 50; i++) waits.add(createBackoff({ initial: 100, max: 1_000 }, random).next());
    assert.ok(waits.size > 45);
  });
});

describe('seeded random', () => {
  it('repeats itself for one seed and differs between seeds', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, createSeededRandom(seed).next);
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
    for (const value of draw(9)) assert.ok(value >= 0 && value < 1);
    assert.deepEqual(createSeededRandom(1).bytes(8), createSeededRandom(1).bytes(8));
  });
});
