import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { watchClockSteps } from './clock-steps.ts';

function watch() {
  const clock = createFakeClock();
  let steps = 0;
  const { look, stop } = watchClockSteps(clock, () => {
    steps += 1;
  });
  return { clock, look, stop, steps: () => steps };
}

describe('watchClockSteps', () => {
  it('says nothing while both clocks go alike', async () => {
    const { clock, steps } = watch();
    await clock.advance(3_600_000);
    assert.equal(steps(), 0);
  });

  for (const step of [2_000, -2_000, 86_400_000, -86_400_000]) {
    it(`notices a step of ${step} ms once, within 5 s`, async () => {
      const { clock, steps } = watch();
      await clock.advance(12_345);
      clock.step(step);
      await clock.advance(5_000);
      assert.equal(steps(), 1);
      await clock.advance(60_000);
      assert.equal(steps(), 1);
    });
  }

  it('takes slewing for what it is', async () => {
    const { clock, steps } = watch();
    for (let second = 0; second < 600; second += 1) {
      clock.step(0.5);
      await clock.advance(1_000);
    }
    assert.equal(steps(), 0);
  });

  it('notices steps that follow each other', async () => {
    const { clock, steps } = watch();
    clock.step(60_000);
    await clock.advance(5_000);
    clock.step(-60_000);
    await clock.advance(5_000);
    assert.equal(steps(), 2);
  });

  it('notices a step that is taken back within 5 s, if somebody looked in between', async () => {
    const { clock, look, steps } = watch();
    await clock.advance(1_000);
    clock.step(-5_208_000);
    look();
    clock.step(5_208_000);
    await clock.advance(5_000);
    assert.equal(steps(), 2);
  });

  it('leaves no timer behind', () => {
    const { clock, stop } = watch();
    assert.equal(clock.pending, 1);
    stop();
    assert.equal(clock.pending, 0);
  });
});
