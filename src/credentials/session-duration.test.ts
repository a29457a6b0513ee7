import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { capSessionDuration } from './session-duration.ts';

describe('capSessionDuration', () => {
  const cases: { requestedSeconds: number; chained: boolean; seconds: number; note?: RegExp }[] = [
    { requestedSeconds: 3_600, chained: true, seconds: 3_600 },
    { requestedSeconds: 3_600, chained: false, seconds: 3_600 },
    { requestedSeconds: 900, chained: true, seconds: 900 },
    { requestedSeconds: 43_200, chained: false, seconds: 43_200 },
    { requestedSeconds: 3_601, chained: true, seconds: 3_600, note: /role chaining/ },
    { requestedSeconds: 43_200, chained: true, seconds: 3_600, note: /role chaining/ },
    { requestedSeconds: 43_201, chained: false, seconds: 43_200, note: /12h/ },
    { requestedSeconds: 899, chained: false, seconds: 900, note: /15m/ },
    { requestedSeconds: 0, chained: true, seconds: 900, note: /15m/ },
    { requestedSeconds: 1_000.4, chained: false, seconds: 1_000 },
  ];
  for (const { requestedSeconds, chained, seconds, note } of cases) {
    it(`makes ${seconds} s of ${requestedSeconds} s ${chained ? 'for a role' : 'for a user'}`, () => {
      const capped = capSessionDuration({ requestedSeconds, chained });
      assert.equal(capped.seconds, seconds);
      if (note) assert.match(capped.note ?? '', note);
      else assert.equal('note' in capped, false);
    });
  }

  it('always gives what STS takes, and says so whenever it is something else than requested', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000, max: 100_000 }), fc.boolean(), (requestedSeconds, chained) => {
        const { seconds, note } = capSessionDuration({ requestedSeconds, chained });
        assert.ok(seconds >= 900 && seconds <= (chained ? 3_600 : 43_200));
        assert.equal(note !== undefined, seconds !== requestedSeconds);
      }),
    );
  });
});
