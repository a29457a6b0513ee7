import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sessionLength } from './duration.ts';

const chainText = /1 hour session limit for roles assumed by role chaining/;
const roleText = /exceeds the MaxSessionDuration set for this role/;

describe('sessionLength', () => {
  const cases: readonly (readonly [
    requested: string | undefined,
    maxSessionDuration: number,
    chained: boolean,
    outcome: number | RegExp,
  ])[] = [
    [undefined, 3_600, false, 3_600],
    [undefined, 43_200, false, 3_600],
    [undefined, 43_200, true, 3_600],
    ['900', 3_600, true, 900],
    ['3600', 3_600, true, 3_600],
    ['3601', 3_600, false, roleText],
    ['3601', 43_200, true, chainText],
    ['43200', 43_200, false, 43_200],
    ['43200', 43_200, true, chainText],
    // Both limits are passed: STS speaks of the chain.
    ['43200', 3_600, true, chainText],
  ];
  for (const [requested, maxSessionDuration, chained, outcome] of cases) {
    const who = chained ? 'a link of a chain' : 'the first';
    it(`answers ${outcome} to ${who} asking ${requested ?? 'nothing'} of a role of ${maxSessionDuration} s`, () => {
      const got = sessionLength({ requested, maxSessionDuration, chained, earlyExpiry: undefined });
      if (typeof outcome === 'number') {
        assert.deepEqual(got, { kind: 'length', statedSeconds: outcome, endsAfterSeconds: outcome });
      } else {
        assert.equal(got.kind, 'failed');
        assert.deepEqual([got.status, got.code], [400, 'ValidationError']);
        assert.match(got.message, outcome);
      }
    });
  }

  it('never gives more than the role allows, nor more than an hour in a chain', () => {
    const seconds = fc.integer({ min: 900, max: 43_200 });
    fc.assert(
      fc.property(seconds, fc.integer({ min: 3_600, max: 43_200 }), fc.boolean(), (asked, most, chained) => {
        const got = sessionLength({
          requested: String(asked),
          maxSessionDuration: most,
          chained,
          earlyExpiry: undefined,
        });
        const limit = chained ? 3_600 : most;
        assert.equal(got.kind, asked <= limit ? 'length' : 'failed');
      }),
    );
  });

  for (const [announced, statedSeconds] of [
    [true, 5],
    [false, 900],
  ] as const) {
    it(`ends early under a fault, and states ${statedSeconds} s`, () => {
      const earlyExpiry = { kind: 'early-expiry', seconds: 5, announced } as const;
      const got = sessionLength({ requested: '900', maxSessionDuration: 3_600, chained: false, earlyExpiry });
      assert.deepEqual(got, { kind: 'length', statedSeconds, endsAfterSeconds: 5 });
    });
  }

  it('refuses what is refused, under a fault as well', () => {
    const earlyExpiry = { kind: 'early-expiry', seconds: 5, announced: true } as const;
    const got = sessionLength({ requested: '7200', maxSessionDuration: 3_600, chained: false, earlyExpiry });
    assert.equal(got.kind, 'failed');
  });
});
