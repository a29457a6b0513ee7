import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom, type Random } from '../base/random.ts';
import { millisLeft, refreshBelow } from './refresh-schedule.ts';
import type { Credentials } from './session.ts';
import { createCredentials } from './testing/scripted-backend.ts';

const minute = 60_000;
const hour = 60 * minute;

function constantRandom(value: number): Random {
  return { next: () => value, bytes: (length) => new Uint8Array(length) };
}

/** Of a call at 0, on clocks that begin at 0. */
function lasting(lifetime: number): Credentials {
  return createCredentials('A', 0, lifetime, lifetime);
}

describe('refreshBelow', () => {
  it('sets the refresh between 40 and 47 % of the lifetime', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 15 * minute, max: 12 * hour }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (lifetime, drawn) => {
          const passed = lifetime - refreshBelow(lasting(lifetime), 0, constantRandom(drawn));
          assert.ok(passed >= 0.4 * lifetime - 1e-3, `${passed} of ${lifetime}`);
          assert.ok(passed <= 0.47 * lifetime + 1e-3, `${passed} of ${lifetime}`);
        },
      ),
    );
  });

  it('leaves time for two calls of 10 s before the half of the shortest session', () => {
    const left = refreshBelow(lasting(15 * minute), 0, constantRandom(0.999_999));
    assert.ok(left - (15 * minute) / 2 > 20_000);
  });

  it('spreads sessions of one moment over minutes', () => {
    const random = createSeededRandom(1);
    const points = Array.from({ length: 1_000 }, () => refreshBelow(lasting(hour), 0, random));
    assert.ok(Math.max(...points) - Math.min(...points) > 4 * minute);
  });

  it('goes by the lesser of what both clocks say of the lifetime', () => {
    for (const credentials of [
      createCredentials('A', 0, hour, 6 * hour),
      createCredentials('A', 0, 70 * minute, hour),
    ]) {
      assert.equal(refreshBelow(credentials, 0, constantRandom(0)), 0.6 * hour);
    }
  });

  const floors: [leftMinutes: number, earliest: number, latest: number, of: string][] = [
    [5, 24, 28.2, 'changes nothing where half of the session is sooner'],
    [45, 10.8, 15, 'refreshes as soon as that is left, spread all the same'],
    [120, 1.8, 6, 'does not refresh all the time when it is longer than the session'],
  ];
  for (const [leftMinutes, earliest, latest, what] of floors) {
    it(`with a wish for ${leftMinutes} min left of an hour ${what}`, () => {
      const minutes = [0, 0.999_999].map((drawn) => {
        const left = refreshBelow(lasting(hour), 0, constantRandom(drawn), leftMinutes * minute);
        return (hour - left) / minute;
      });
      const [from = 0, to = 0] = minutes;
      assert.ok(Math.abs(from - earliest) < 0.01 && Math.abs(to - latest) < 0.01, `${from} to ${to}`);
    });
  }
});

describe('millisLeft', () => {
  function issueOnClock() {
    const clock = createFakeClock();
    const goodUntil = clock.monotonic() + hour;
    return { clock, credentials: createCredentials('A', clock.now(), clock.now() + hour, goodUntil) };
  }

  it('goes down with time to zero and below', async () => {
    const { clock, credentials } = issueOnClock();
    assert.equal(millisLeft(credentials, clock), hour);
    await clock.advance(59 * minute);
    assert.equal(millisLeft(credentials, clock), minute);
    await clock.advance(2 * minute);
    assert.equal(millisLeft(credentials, clock), -minute);
  });

  it('believes the wall clock when it was set forward', () => {
    const { clock, credentials } = issueOnClock();
    clock.step(2 * hour);
    assert.equal(millisLeft(credentials, clock), -hour);
  });

  it('does not grow when the wall clock is set back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 48 * hour }), (back) => {
        const { clock, credentials } = issueOnClock();
        clock.step(-back);
        assert.ok(millisLeft(credentials, clock) <= hour);
      }),
    );
  });
});
