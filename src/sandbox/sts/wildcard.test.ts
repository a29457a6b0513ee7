import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matchesWildcard } from './wildcard.ts';

describe('matchesWildcard', () => {
  const cases: readonly (readonly [pattern: string, text: string, expected: boolean])[] = [
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'anything/at:all', true],
    ['?', '', false],
    ['?', 'a', true],
    ['?', 'ab', false],
    ['arn:aws:iam::*:role/logs-*', 'arn:aws:iam::123456789012:role/logs-writer', true],
    ['arn:aws:iam::*:role/logs-*', 'arn:aws:iam::123456789012:role/admin', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-b-c-d', false],
    ['*.example', 'a.example.example', true],
    // Everything but star and question mark is itself.
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['A', 'a', false],
  ];
  for (const [pattern, text, expected] of cases) {
    it(`${expected ? 'lets' : 'does not let'} ${JSON.stringify(pattern)} match ${JSON.stringify(text)}`, () => {
      assert.equal(matchesWildcard(pattern, text), expected);
    });
  }

  it('agrees with the regular expression that says the same', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), maxLength: 12 });
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const source = pattern
          .replace(/\*+/g, '*')
          .replace(/\./g, '\\.')
          .replace(/\*/g, '.*')
          .replace(/\?/g, '.');
        assert.equal(matchesWildcard(pattern, text), new RegExp(`^${source}$`).test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('stays quick where a backtracking matcher would not', () => {
    const started = performance.now();
    assert.equal(matchesWildcard(`${'*a'.repeat(50)}b`, 'a'.repeat(2_000)), false);
    assert.ok(performance.now() - started < 1_000);
  });
});
