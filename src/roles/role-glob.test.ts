import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileRoleGlob } from './role-glob.ts';

/** What a glob means, by trying everything. */
function naive(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob.startsWith('*')) return naive(glob.slice(1), text) || (text !== '' && naive(glob, text.slice(1)));
  return text !== '' && glob[0] === text[0] && naive(glob.slice(1), text.slice(1));
}

describe('compileRoleGlob', () => {
  const table: readonly (readonly [glob: string, text: string, matches: boolean])[] = [
    ['reader', 'reader', true],
    ['reader', 'reader-admin', false],
    ['reader', 'Reader', false],
    ['*', '', true],
    ['*', 'team/reader', true],
    ['team-*', 'team-a/reader', true],
    ['*/reader', 'team/reader', true],
    ['a*a', 'a', false],
    ['a*b*b', 'ab', false],
    ['?eader', 'reader', false],
    ['[r]eader', 'reader', false],
    ['re.der', 'reader', false],
    ['re\\*', 're\\x', true],
  ];
  for (const [glob, text, matches] of table) {
    it(`${glob} on ${JSON.stringify(text)}: ${matches}`, () =>
      assert.equal(compileRoleGlob(glob)(text), matches));
  }

  it('agrees with trying everything', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 7 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    fc.assert(
      fc.property(glob, text, (g, t) => assert.equal(compileRoleGlob(g)(t), naive(g, t))),
      { numRuns: 5_000 },
    );
  });

  it('tries nothing twice', () => {
    const matches = compileRoleGlob(`${'*a'.repeat(5_000)}*b`);
    assert.equal(matches('a'.repeat(640)), false);
  });
});
