import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { deadlineSignal } from './call-bounds.ts';

const clock = createFakeClock();

function callWith(deadline: number | Date) {
  return Object.assign(new EventEmitter(), { getDeadline: () => deadline });
}

describe('the bounds of a call', () => {
  const cases: [what: string, deadline: number | Date, millis: number][] = [
    ['the longest wait, where the caller has no deadline', Number.POSITIVE_INFINITY, 4_500],
    ['the longest wait, where the caller allows more', clock.now() + 60_000, 4_500],
    ["the caller's time, less what the answer takes", clock.now() + 1_000, 980],
    ["the caller's time, given as a date", new Date(clock.now() + 1_000), 980],
    ['nothing, where the time is up', clock.now() - 1, 0],
    ['nothing, where no more than the time for the answer is left', clock.now() + 20, 0],
  ];
  for (const [what, deadline, millis] of cases) {
    it(`are ${what}`, () => {
      assert.equal(deadlineSignal(callWith(deadline), clock, 4_500).millis, millis);
    });
  }

  it('end with the caller', () => {
    const call = callWith(Number.POSITIVE_INFINITY);
    const { signal } = deadlineSignal(call, clock, 4_500);
    assert.equal(signal.aborted, false);
    call.emit('cancelled');
    assert.equal(signal.aborted, true);
  });

  it('leave nothing behind', () => {
    const call = callWith(Number.POSITIVE_INFINITY);
    const { signal, end } = deadlineSignal(call, clock, 4_500);
    end();
    assert.equal(call.listenerCount('cancelled'), 0);
    call.emit('cancelled');
    assert.equal(signal.aborted, false);
  });
});
