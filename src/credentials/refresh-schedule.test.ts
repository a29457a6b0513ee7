import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom, type Random } from '../base/random.ts';
import { holdCredentials, millisLeft } from './refresh-schedule.ts';
import { createCredentials } from './testing/scripted-backend.ts';

const minute = 60_000;
const hour = 60 * minute;

function constantRandom(value: number): Random {
  return { next: () => value, bytes: (length) => new Uint8Array(length) };
}

describe('holdCredentials', () => {
  it('sets the refresh between 40 and 47 % of the lifetime', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 15 * minute, max: 12 * hour }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (lifetime, drawn) => {
          const held = holdCredentials(
            createCredentials('A', 0, lifetime),
            0,
            12 * hour,
            constantRandom(drawn),
          );
          const passed = lifetime - held.refreshBelow;
          assert.ok(passed >= 0.4 * lifetime - 1e-3, `${passed} of ${lifetime}`);
          assert.ok(passed <= 0.47 * lifetime + 1e-3, `${passed} of ${lifetime}`);
        },
      ),
    );
  });

  it('leaves time for two calls of 10 s before the half of the shortest session', () => {
    const held = holdCredentials(createCredentials('A', 0, 15 * minute), 0, hour, constantRandom(0.999_999));
    assert.ok(held.refreshBelow - (15 * minute) / 2 > 20_000);
  });

  it('spreads sessions of one moment over minutes', () => {
    const random = createSeededRandom(1);
    const points = Array.from({ length: 1_000 }, () => {
      return holdCredentials(createCredentials('A', 0, hour), 0, hour, random).refreshBelow;
    });
    assert.ok(Math.max(...points) - Math.min(...points) > 4 * minute);
  });

  it('goes by what STS gave, not by what it was asked for', () => {
    const held = holdCredentials(createCredentials('A', 0, hour), 0, 6 * hour, constantRandom(0));
    assert.equal(held.lifetime, hour);
    assert.equal(held.refreshBelow, 0.6 * hour);
  });

  const floors: [leftMinutes: number, earliest: number, latest: number, of: string][] = [
    [5, 24, 28.2, 'changes nothing where half of the session is sooner'],
    [45, 10.8, 15, 'refreshes as soon as that is left, spread all the same'],
    [120, 1.8, 6, 'does not refresh all the time when it is longer than the session'],
  ];
  for (const [leftMinutes, earliest, latest, what] of floors) {
    it(`with a wish for ${leftMinutes} min left of an hour ${what}`, () => {
      const minutes = [0, 0.999_999].map((drawn) => {
        const credentials = createCredentials('A', 0, hour);
        const held = holdCredentials(credentials, 0, hour, constantRandom(drawn), leftMinutes * minute);
        return (hour - held.refreshBelow) / minute;
      });
      const [from = 0, to = 0] = minutes;
      assert.ok(Math.abs(from - earliest) < 0.01 && Math.abs(to - latest) < 0.01, `${from} to ${to}`);
    });
  }

  it('does not believe a lifetime longer than what was asked for: our clock is slow', () => {
    const held = holdCredentials(createCredentials('A', 0, 70 * minute), 0, hour, constantRandom(0));
    assert.equal(held.lifetime, hour);
  });
});

describe('millisLeft', () => {
  function holdOnClock() {
    const clock = createFakeClock();
    const credentials = createCredentials('A', clock.now(), clock.now() + hour);
    return { clock, held: holdCredentials(credentials, clock.monotonic(), hour, constantRandom(0)) };
  }

  it('goes down with time to zero and below', async () => {
    const { clock, held } = holdOnClock();
    assert.equal(millisLeft(held, clock), hour);
    await clock.advance(59 * minute);
    assert.equal(millisLeft(held, clock), minute);
    await clock.advance(2 * minute);
    assert.equal(millisLeft(held, clock), -minute);
  });

  it('counts the time of the call against the credentials', () => {
    const clock = createFakeClock();
    const credentials = createCredentials('A', clock.now(), clock.now() + hour);
    const held = holdCredentials(credentials, clock.monotonic() - 9_000, hour, constantRandom(0));
    assert.equal(millisLeft(held, clock), hour - 9_000);
  });

  it('believes the wall clock when it was set forward', () => {
    const { clock, held } = holdOnClock();
    clock.step(2 * hour);
    assert.equal(millisLeft(held, clock), -hour);
  });

  it('does not grow when the wall clock is set back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 48 * hour }), (back) => {
        const { clock, held } = holdOnClock();
        clock.step(-back);
        assert.ok(millisLeft(held, clock) <= hour);
      }),
    );
  });
});
