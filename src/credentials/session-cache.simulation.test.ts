import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSeededRandom } from '../base/random.ts';
import type { SessionLease, SessionState } from './session.ts';
import { createCacheHarness, identityOf } from './testing/cache-harness.ts';
import type { Scripted } from './testing/scripted-backend.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

const failures: Scripted[] = [
  { kind: 'refused', code: 'AccessDenied', message: 'no' },
  { kind: 'throttled', code: 'Throttling', message: 'Rate exceeded' },
  { kind: 'unavailable', code: 'NetworkError', message: 'away' },
  'hang',
  'throw',
];

describe('a cluster of 3,000 identities', () => {
  it('is served with half of each session left, all the time, with one call for each and half session', async () => {
    const { clock, backend, acquire, metric } = createCacheHarness({ seed: 7 });
    const leases = Array.from({ length: 3_000 }, (_, number) => acquire(identityOf(number)));
    await clock.advance(2 * minute);
    const until = 3 * hour;
    while (clock.monotonic() < until) {
      await clock.advance(30 * second);
      for (const { state } of leases) {
        assert.equal(state.kind, 'issued');
        if (state.kind !== 'issued') continue;
        assert.equal(state.problem, undefined);
        assert.ok(state.credentials.expiration - clock.now() >= hour / 2);
      }
    }
    // Each interval is at least 40 % of an hour: 1 + 7 calls in three hours at most, 1 + 6 at least.
    const calls = new Map<string, number>();
    for (const { identity } of backend.calls)
      calls.set(identity.roleArn, (calls.get(identity.roleArn) ?? 0) + 1);
    assert.equal(calls.size, 3_000);
    for (const count of calls.values()) assert.ok(count >= 7 && count <= 8, `${count} calls`);
    assert.equal(await metric('kiam_sts_cacheSize'), 3_000);
    assert.equal(backend.mostPerIdentity, 1);
  });

  it('does not refresh in waves: jitter spreads the calls further with each round', async () => {
    const { clock, backend, acquire } = createCacheHarness({
      seed: 11,
      cache: { burst: 3_000, maxConcurrent: 3_000 },
    });
    for (let number = 0; number < 3_000; number += 1) acquire(identityOf(number));
    await clock.advance(hour);
    const later = new Map<number, number>();
    for (const { at } of backend.calls) {
      if (at < minute) continue;
      const slot = Math.floor(at / second);
      later.set(slot, (later.get(slot) ?? 0) + 1);
    }
    assert.ok(Math.max(...later.values()) < 40, `${Math.max(...later.values())} calls in one second`);
  });

  it('keeps all served through an outage of STS that is shorter than half a session', async () => {
    let broken = false;
    const { clock, backend, acquire } = createCacheHarness({
      answer: () => (broken ? (failures[2] ?? 'hang') : 'issue'),
    });
    const leases = Array.from({ length: 1_000 }, (_, number) => acquire(identityOf(number)));
    await clock.advance(20 * minute);
    broken = true;
    for (let passed = 0; passed < 25; passed += 1) {
      await clock.advance(minute);
      assert.ok(leases.every(({ state }) => state.kind === 'issued'));
    }
    const during = backend.calls.filter(({ at }) => at > 20 * minute).length;
    assert.ok(during <= 100 + 50 * 60 * 25, `${during} calls while STS was away`);
    broken = false;
    await clock.advance(3 * minute);
    assert.ok(leases.every(({ state }) => state.kind === 'issued' && !state.problem));
  });
});

/** What may happen in a moment of a history. */
const moments = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('acquire' as const), who: fc.nat(7) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat(1_000) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), millis: fc.nat(20 * minute) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), millis: fc.nat(2 * second) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('step' as const),
      millis: fc.integer({ min: -3 * hour, max: 3 * hour }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('mood' as const),
      failing: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
);

describe('any history of pods, clocks and answers of STS', () => {
  it('keeps the promises of the cache', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.constantFrom(15 * minute, hour, 12 * hour),
        fc.array(moments, { maxLength: 60 }),
        async (seed, sessionMillis, history) => {
          const random = createSeededRandom(seed);
          let failing = 0;
          // AWS's clock does not step with ours.
          let stepped = 0;
          const { clock, backend, cache } = createCacheHarness({
            seed,
            sessionMillis,
            latencyMillis: () => random.next() * 3 * second,
            clockAheadMillis: () => -stepped,
            answer: () => {
              if (random.next() >= failing) return 'issue';
              return failures[Math.floor(random.next() * failures.length)] ?? 'issue';
            },
          });
          const leases = new Set<{ lease: SessionLease; released: boolean; last: SessionState }>();
          const wanted = new Map<number, number>();

          function check(): void {
            for (const entry of leases) {
              const { state } = entry.lease;
              if (state.kind !== 'issued') continue;
              // By our clock and, whatever it was set to, by AWS's.
              assert.ok(state.credentials.expiration - clock.now() >= minute);
              const issuedAt = backend.calls[Number(state.credentials.accessKeyId.slice(4))]?.endedAt ?? 0;
              assert.ok(issuedAt + sessionMillis - clock.monotonic() >= minute, 'about to expire at AWS');
            }
            assert.ok(backend.mostPerIdentity <= 1, 'two calls at once for one identity');
          }

          for (const moment of history) {
            switch (moment.do) {
              case 'acquire': {
                let returned = false;
                const entry = { released: false, last: { kind: 'pending' } as SessionState } as {
                  lease: SessionLease;
                  released: boolean;
                  last: SessionState;
                };
                entry.lease = cache.acquire(identityOf(moment.who), (state) => {
                  assert.ok(returned, 'told before acquire returned');
                  assert.ok(!entry.released, 'told after release');
                  assert.notDeepEqual(state, entry.last, 'told the same twice');
                  entry.last = state;
                });
                returned = true;
                entry.last = entry.lease.state;
                leases.add(entry);
                wanted.set(moment.who, (wanted.get(moment.who) ?? 0) + 1);
                break;
              }
              case 'release': {
                const entry = [...leases][moment.which % Math.max(leases.size, 1)];
                if (!entry) break;
                entry.released = true;
                entry.lease.release();
                leases.delete(entry);
                break;
              }
              case 'wait': {
                await clock.advance(moment.millis);
                break;
              }
              case 'step': {
                clock.step(moment.millis);
                stepped += moment.millis;
                check();
                // The watch over the clock looks every 5 s.
                await clock.advance(5 * second);
                break;
              }
              case 'mood': {
                failing = moment.failing;
                break;
              }
            }
            check();
            for (const { lease, last } of leases)
              assert.deepEqual(lease.state, last, 'a listener was not told');
          }

          // Each failure doubles the wait, each success waits for 40 % of the life; a clock that runs wrong costs a fetch.
          const bound = 40 + 4 * (clock.monotonic() / (30 * second)) + 20 * history.length;
          for (const who of wanted.keys()) {
            const own = backend.calls.filter(
              ({ identity }) => identity.roleArn === identityOf(who).roleArn,
            ).length;
            assert.ok(own <= bound, `${own} calls for one identity, ${bound} allowed`);
          }

          // Once STS is well and our clock right, everybody who still asks is served.
          failing = 0;
          clock.step(-stepped);
          stepped = 0;
          await clock.advance(25 * minute);
          check();
          for (const { lease } of leases) assert.equal(lease.state.kind, 'issued');

          cache.close();
          await clock.advance(0);
          assert.equal(backend.inFlight, 0);
          assert.equal(clock.pending, 0, 'timers left behind');
        },
      ),
      { numRuns: 150 },
    );
  });
});
