import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { kiamDate, readKiamDate } from './kiam-date.ts';

describe("kiam's dates", () => {
  it('have whole seconds and are UTC', () => {
    assert.equal(kiamDate(1_767_225_600_999), '2026-01-01T00:00:00Z');
  });

  it('are read as they were written, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (millis) => {
        assert.equal(readKiamDate(kiamDate(millis)), Math.floor(millis / 1_000) * 1_000);
      }),
    );
  });

  for (const text of [
    '',
    'soon',
    '2026-01-01',
    '2026-13-01T00:00:00Z',
    '2026-01-01T00:00:00+01:00',
    '2026-01-01T00:00:00.5Z',
    '2026-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
  ]) {
    it(`are not ${JSON.stringify(text)}`, () => assert.equal(readKiamDate(text), undefined));
  }
});
