import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Clock, sleep } from '../base/clock.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import { createCallQueue } from './call-queue.ts';

const never = new AbortController().signal;

/** Calls that take 100 ms and note when they begin. */
function createRecorder(clock: Clock) {
  const begun: string[] = [];
  const times: number[] = [];
  let most = 0;
  let running = 0;
  return {
    begun,
    times,
    most: () => most,
    call: (name: string) => async () => {
      begun.push(name);
      times.push(clock.monotonic());
      running += 1;
      most = Math.max(most, running);
      await sleep(clock, 100, never);
      running -= 1;
    },
  };
}

function create(options: { callsPerSecond?: number; burst?: number; maxConcurrent?: number } = {}) {
  const clock = createFakeClock();
  const queue = createCallQueue({ clock, callsPerSecond: 10, burst: 1, maxConcurrent: 100, ...options });
  return { clock, queue, recorder: createRecorder(clock) };
}

describe('createCallQueue', () => {
  it('begins a call at once when there is room', () => {
    const { queue, recorder } = create();
    queue.enqueue('1', true, recorder.call('a'));
    assert.deepEqual(recorder.begun, ['a']);
  });

  it('keeps to the rate of an account', async () => {
    const { clock, queue, recorder } = create({ burst: 5 });
    for (let call = 0; call < 25; call += 1) queue.enqueue('1', true, recorder.call(`${call}`));
    assert.equal(recorder.begun.length, 5);
    await clock.advance(1_000);
    assert.equal(recorder.begun.length, 15);
    await clock.advance(1_000);
    assert.equal(recorder.begun.length, 25);
    await clock.advance(100);
    assert.equal(clock.pending, 0);
  });

  it('keeps a budget for each account', () => {
    const { queue, recorder } = create();
    for (const account of ['1', '2', '3']) queue.enqueue(account, true, recorder.call(account));
    assert.deepEqual(recorder.begun, ['1', '2', '3']);
  });

  it('puts urgent calls before routine ones, each in the order they came', async () => {
    const { clock, queue, recorder } = create();
    queue.enqueue('1', false, recorder.call('first'));
    for (const name of ['r1', 'r2']) queue.enqueue('1', false, recorder.call(name));
    for (const name of ['u1', 'u2']) queue.enqueue('1', true, recorder.call(name));
    await clock.advance(2_000);
    assert.deepEqual(recorder.begun, ['first', 'u1', 'u2', 'r1', 'r2']);
  });

  it('lets a promoted call pass the routine ones', async () => {
    const { clock, queue, recorder } = create();
    queue.enqueue('1', false, recorder.call('first'));
    queue.enqueue('1', false, recorder.call('r1'));
    const late = queue.enqueue('1', false, recorder.call('r2'));
    late.promote();
    await clock.advance(2_000);
    assert.deepEqual(recorder.begun, ['first', 'r2', 'r1']);
  });

  it('never begins a cancelled call, nor a begun call again', async () => {
    const { clock, queue, recorder } = create();
    const begun = queue.enqueue('1', false, recorder.call('begun'));
    const cancelled = queue.enqueue('1', false, recorder.call('cancelled'));
    cancelled.cancel();
    cancelled.promote();
    begun.promote();
    await clock.advance(2_000);
    assert.deepEqual(recorder.begun, ['begun']);
  });

  it('has no more than maxConcurrent calls under way', async () => {
    const { clock, queue, recorder } = create({ burst: 1_000, maxConcurrent: 7 });
    for (let call = 0; call < 70; call += 1) queue.enqueue(`${call % 3}`, call % 2 === 0, recorder.call(''));
    await clock.advance(900);
    assert.equal(recorder.begun.length, 70);
    assert.equal(recorder.most(), 7);
  });

  it('serves accounts in turn, so that a large one does not starve a small one', async () => {
    const { clock, queue, recorder } = create({ burst: 1_000, maxConcurrent: 1 });
    for (let call = 0; call < 100; call += 1) queue.enqueue('large', true, recorder.call('large'));
    queue.enqueue('small', true, recorder.call('small'));
    await clock.advance(300);
    assert.ok(recorder.begun.slice(0, 3).includes('small'), recorder.begun.join());
  });

  it('slows down the account that is throttled and no other', async () => {
    const { clock, queue, recorder } = create({ burst: 10 });
    queue.slowDown('1');
    for (let call = 0; call < 20; call += 1) {
      queue.enqueue('1', true, recorder.call('slow'));
      queue.enqueue('2', true, recorder.call('quick'));
    }
    await clock.advance(1_000);
    const slow = recorder.begun.filter((name) => name === 'slow').length;
    const quick = recorder.begun.filter((name) => name === 'quick').length;
    assert.equal(quick, 20);
    assert.ok(slow >= 4 && slow <= 6, `${slow} calls`);
  });

  it('forgets accounts that have not called for a while', async () => {
    const { clock, queue, recorder } = create();
    for (let account = 0; account < 50; account += 1) queue.enqueue(`${account}`, true, recorder.call(''));
    await clock.advance(50);
    assert.equal(queue.accounts, 50);
    await clock.advance(500);
    assert.equal(queue.accounts, 0);
  });

  it('does not forget an account that is throttled', async () => {
    const { clock, queue, recorder } = create();
    queue.slowDown('1');
    await clock.advance(59_000);
    queue.enqueue('2', true, recorder.call(''));
    await clock.advance(500);
    assert.equal(queue.accounts, 1);
    queue.enqueue('2', true, recorder.call(''));
    await clock.advance(2_000);
    queue.enqueue('2', true, recorder.call(''));
    await clock.advance(500);
    assert.equal(queue.accounts, 0);
  });

  it('leaves nothing behind when it is closed', async () => {
    const { clock, queue, recorder } = create();
    for (let call = 0; call < 5; call += 1) queue.enqueue('1', true, recorder.call(`${call}`));
    queue.close();
    await clock.advance(10_000);
    assert.deepEqual(recorder.begun, ['0']);
    queue.enqueue('1', true, recorder.call('after'));
    assert.equal(recorder.begun.length, 1);
    assert.equal(clock.pending, 0);
  });
});
