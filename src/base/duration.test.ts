import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  const valid: [string, number][] = [
    ['0', 0],
    ['10s', 10_000],
    ['500ms', 500],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1_000],
    ['2us', 0.002],
    ['2µs', 0.002],
    ['-1m', -60_000],
    ['+1m', 60_000],
    ['1m1m', 120_000],
  ];
  for (const [text, millis] of valid) {
    it(`reads ${text} as Go does`, () => assert.equal(parseDuration(text), millis));
  }

  for (const text of [
    '',
    '10',
    's',
    '10 s',
    '1d',
    '1h-30m',
    '.s',
    '1..5s',
    '10S',
    '1e3s',
    ' 10s',
    '1'.repeat(100),
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 12))}`, () => assert.equal(parseDuration(text), undefined));
  }

  it('refuses at once what is one but for its end', () => {
    const before = process.cpuUsage();
    for (const part of ['610m', '1111h', '11111111s', '1.11ms']) {
      assert.equal(
        parseDuration(
          part
            .repeat(16)
            .slice(0, 63)
            .replace(/[a-z]*$/, ''),
        ),
        undefined,
      );
    }
    const { user } = process.cpuUsage(before);
    assert.ok(user < 100_000, `took ${user} µs`);
  });

  it('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (millis) => {
        assert.equal(parseDuration(formatDuration(millis)), millis);
      }),
    );
  });
});

describe('formatDuration', () => {
  const cases: [number, string][] = [
    [0, '0s'],
    [800, '800ms'],
    [1_000, '1s'],
    [90_000, '1m30s'],
    [3_600_000, '1h'],
    [5_400_500, '1h30m0.5s'],
    [-60_000, '-1m'],
  ];
  for (const [millis, text] of cases) it(`writes ${text}`, () => assert.equal(formatDuration(millis), text));
});
