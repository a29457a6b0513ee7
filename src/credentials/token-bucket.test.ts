import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFakeClock } from '../base/fake-clock.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

function takeAll(bucket: TokenBucket): number {
  let taken = 0;
  while (bucket.tryTake()) taken += 1;
  return taken;
}

function create(perSecond = 50, burst = 100) {
  const clock = createFakeClock();
  return { clock, bucket: createTokenBucket({ clock, perSecond, burst }) };
}

describe('createTokenBucket', () => {
  it('starts full and gives no more than the burst', () => {
    const { bucket } = create();
    assert.equal(takeAll(bucket), 100);
    assert.equal(bucket.tryTake(), false);
  });

  it('grows back at its rate and no further than the burst', async () => {
    const { clock, bucket } = create();
    takeAll(bucket);
    await clock.advance(1_000);
    assert.equal(takeAll(bucket), 50);
    await clock.advance(3_600_000);
    assert.equal(takeAll(bucket), 100);
  });

  it('tells how long to wait, never too short and hardly too long', async () => {
    const { clock, bucket } = create(50, 1);
    assert.equal(bucket.untilNext(), 0);
    for (let round = 0; round < 500; round += 1) {
      assert.ok(bucket.tryTake());
      const wait = bucket.untilNext();
      assert.ok(wait >= 20 && wait <= 21, `waits ${wait} ms`);
      await clock.advance(wait);
    }
  });

  it('is emptied and halved when the other side throttles', async () => {
    const { clock, bucket } = create();
    bucket.slowDown();
    assert.equal(takeAll(bucket), 0);
    await clock.advance(1_000);
    const taken = takeAll(bucket);
    assert.ok(taken >= 25 && taken <= 26, `${taken} in the first second`);
  });

  it('takes one storm of answers for one', async () => {
    const { clock, bucket } = create();
    for (let answer = 0; answer < 100; answer += 1) bucket.slowDown();
    await clock.advance(1_000);
    assert.ok(takeAll(bucket) >= 25);
  });

  it('does not go below a thirty-second of its rate, however long it is throttled', async () => {
    const { clock, bucket } = create(64, 100);
    for (let second = 0; second < 120; second += 1) {
      bucket.slowDown();
      await clock.advance(1_000);
    }
    const taken = takeAll(bucket);
    assert.ok(taken >= 2 && taken <= 4, `${taken} a second while throttled`);
  });

  it('is at its full rate again a minute after the last throttling', async () => {
    const { clock, bucket } = create();
    bucket.slowDown();
    await clock.advance(60_000);
    takeAll(bucket);
    await clock.advance(1_000);
    assert.equal(takeAll(bucket), 50);
  });

  it('is fresh when it is full and nothing slows it', async () => {
    const { clock, bucket } = create();
    assert.equal(bucket.fresh, true);
    bucket.tryTake();
    assert.equal(bucket.fresh, false);
    await clock.advance(20);
    assert.equal(bucket.fresh, true);
    bucket.slowDown();
    await clock.advance(59_000);
    assert.equal(bucket.fresh, false);
    await clock.advance(1_000);
    assert.equal(bucket.fresh, true);
  });

  it('never gives more than burst + rate x time, whatever is asked and when', async () => {
    const steps = fc.array(
      fc.record({
        wait: fc.integer({ min: 0, max: 10_000 }),
        takes: fc.integer({ min: 0, max: 300 }),
        throttled: fc.boolean(),
      }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const { clock, bucket } = create();
        let given = 0;
        for (const { wait, takes, throttled } of plan) {
          await clock.advance(wait);
          if (throttled) bucket.slowDown();
          for (let take = 0; take < takes; take += 1) if (bucket.tryTake()) given += 1;
          assert.ok(given <= 100 + (clock.monotonic() * 50) / 1_000 + 1e-3);
        }
      }),
    );
  });
});
