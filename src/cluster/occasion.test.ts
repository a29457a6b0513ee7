import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createOccasion } from './occasion.ts';

describe('an occasion', () => {
  it('is there at once, then once in the time given, with the number of those since', async () => {
    const clock = createFakeClock();
    const occasion = createOccasion(clock, 60_000);
    assert.deepEqual(occasion(), { since: 1 });
    assert.equal(occasion(), undefined);
    await clock.advance(59_999);
    assert.equal(occasion(), undefined);
    await clock.advance(1);
    assert.deepEqual(occasion(), { since: 3 });
    assert.equal(occasion(), undefined);
  });
});
