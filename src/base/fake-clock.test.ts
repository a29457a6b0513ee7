import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sleep } from './clock.ts';
import { createFakeClock } from './fake-clock.ts';

describe('fake clock', () => {
  it('fires timers in order of their time, and of setting where times are equal', async () => {
    const clock = createFakeClock();
    const fired: string[] = [];
    clock.setTimer(20, () => fired.push('late'));
    clock.setTimer(10, () => fired.push('first'));
    clock.setTimer(10, () => fired.push('second'));
    await clock.advance(15);
    assert.deepEqual(fired, ['first', 'second']);
    await clock.advance(5);
    assert.deepEqual(fired, ['first', 'second', 'late']);
  });

  it('shows each timer the moment it was set for, and fires what that sets in the same stretch', async () => {
    const clock = createFakeClock(0);
    const seen: number[] = [];
    clock.setTimer(10, () => {
      seen.push(clock.now());
      clock.setTimer(5, () => seen.push(clock.now()));
    });
    await clock.advance(100);
    assert.deepEqual(seen, [10, 15]);
    assert.equal(clock.now(), 100);
  });

  it('lets what a timer started run before the next one fires', async () => {
    const clock = createFakeClock();
    const order: string[] = [];
    void sleep(clock, 10, new AbortController().signal).then(async () => {
      await Promise.resolve();
      order.push('continuation');
    });
    clock.setTimer(11, () => order.push('timer'));
    await clock.advance(20);
    assert.deepEqual(order, ['continuation', 'timer']);
  });

  it('steps the wall clock without disturbing timers', async () => {
    const clock = createFakeClock(0);
    let fired = false;
    clock.setTimer(10, () => {
      fired = true;
    });
    clock.step(-5_000);
    assert.equal(clock.now(), -5_000);
    assert.equal(clock.monotonic(), 0);
    await clock.advance(10);
    assert.ok(fired);
  });

  it('counts pending timers, so that a leak shows', () => {
    const clock = createFakeClock();
    const timer = clock.setTimer(10, () => {});
    assert.equal(clock.pending, 1);
    assert.equal(clock.untilNext, 10);
    timer.cancel();
    assert.equal(clock.pending, 0);
  });
});

describe('sleep', () => {
  it('ends at its time', async () => {
    const clock = createFakeClock();
    let done = false;
    const slept = sleep(clock, 1_000, new AbortController().signal).then(() => {
      done = true;
    });
    await clock.advance(999);
    assert.equal(done, false);
    await clock.advance(1);
    await slept;
    assert.ok(done);
  });

  it('rejects with the reason when aborted, before or during, and leaves no timer', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const during = sleep(clock, 1_000, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(during, /enough/);
    await assert.rejects(sleep(clock, 1_000, controller.signal), /enough/);
    assert.equal(clock.pending, 0);
  });
});
