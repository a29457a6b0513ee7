import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bounded } from './bounded.ts';
import { sleep } from './clock.ts';
import { createFakeClock } from './fake-clock.ts';

describe('bounded', () => {
  const never = new AbortController().signal;

  it('gives the value of work that ends in time', async () => {
    const clock = createFakeClock();
    const result = bounded(clock, 1_000, never, async (signal) => {
      await sleep(clock, 500, signal);
      return 'value';
    });
    await clock.advance(500);
    assert.deepEqual(await result, { kind: 'done', value: 'value' });
    assert.equal(clock.pending, 0);
  });

  it('says timeout, and aborts the work, when time is up', async () => {
    const clock = createFakeClock();
    let aborted = false;
    const result = bounded(clock, 1_000, never, (signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return sleep(clock, 5_000, signal);
    });
    await clock.advance(1_000);
    assert.deepEqual(await result, { kind: 'timeout' });
    assert.ok(aborted);
    assert.equal(clock.pending, 0);
  });

  it('does not wait for work that ignores its signal', async () => {
    const clock = createFakeClock();
    const result = bounded(clock, 10, never, () => new Promise(() => {}));
    await clock.advance(10);
    assert.deepEqual(await result, { kind: 'timeout' });
  });

  it('passes on what the work throws, and the reason of an outer abort', async () => {
    const clock = createFakeClock();
    await assert.rejects(
      bounded(clock, 10, never, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    const controller = new AbortController();
    const waiting = bounded(clock, 10, controller.signal, (signal) => sleep(clock, 100, signal));
    controller.abort(new Error('shutdown'));
    await assert.rejects(waiting, /shutdown/);
    await assert.rejects(
      bounded(clock, 10, controller.signal, async () => 'never run'),
      /shutdown/,
    );
    assert.equal(clock.pending, 0);
  });
});
