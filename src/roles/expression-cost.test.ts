import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { expressionCost } from './expression-cost.ts';

/** What RE2 really makes of it; undefined when it is not valid. */
function programSize(expression: string): number | undefined {
  try {
    return RE2JS.compile(expression).programSize();
  } catch {
    return undefined;
  }
}

describe('expressionCost', () => {
  it('is never less than what the expression compiles to, and not far above', () => {
    const expressions = [
      '', '()', '(?:)', '(|){9}', '|||', 'a|b', '(a)', '(?i)k', '(?is:x)', '^$', '.*?a+?',
      'arn:aws:iam::123456789012:role/team-.*', 'arn:aws:iam::[0-9]{12}:role/(reader|writer)',
      'a{12}', 'a{2,5}', '(a|b){3,}', 'a{0,1000}', '(a?){500}', 'a{0}', 'a{,5}', 'a{', 'a{x}', 'x{3',
      '(((a*)+)?){30}', '(?:a{0,30}){30}', '(?P<name>x){3}', '(?<name>x){3}',
      // Brackets that are not special where they stand.
      '[]a]{4}', '[^]a]{9}', '[[:alpha:]]]{3}', '[[:^alpha:]\\]{]{3}', '[[:a]{7}', '[a(]{5}', '[](((((((((((((((((]', '[^]((((((((((((((((((]', '\\({5}', '\\[a{5}',
      '\\Q(a{3}[\\E{4}', '\\Qa{100}', 'a\\Q\\E{50}', '\\p{Greek}{10}', '\\pL{10}', '\\x{41}{3}', '[\\x{41}{3}]',
      // What is repeated may be empty.
      '(()*()*){2,}', '(^*$*){4,}', '(a*){0,}(b*){0,}(c*){0,}', '(){0,}(){0,}(){0,}(){0,}',
      // A repetition behind flags applies to what stands before the flags.
      '(abcdefgh)(?i){40}',
    ]; // biome-ignore format: a table
    for (const expression of expressions) {
      const size = programSize(expression);
      assert.ok(size !== undefined, `${expression} is valid`);
      const cost = expressionCost(expression);
      assert.ok(cost >= size, `${expression}: ${cost} is less than ${size}`);
      assert.ok(cost <= 3 * size + 16, `${expression}: ${cost} is far above ${size}`);
    }
  });

  it('is never less, for any expression made of what is special in RE2', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'a',
        'k',
        '.',
        '^',
        '$',
        '|',
        '(',
        ')',
        '[',
        ']',
        '^',
        '{',
        '}',
        '*',
        '+',
        '?',
        '-',
        ',',
      ),
      fc.constantFrom(
        '(?:',
        '(?P<n>',
        '(?i)',
        '(?s-i:',
        '[^',
        '[]',
        '[[:alpha:]]',
        '[:',
        ':]',
        '\\pN',
        '\\p{Lu}',
      ),
      fc.constantFrom(
        '\\Q',
        '\\E',
        '\\(',
        '\\[',
        '\\]',
        '\\\\',
        '\\x{41}',
        '\\b',
        '{0}',
        '{3}',
        '{2,}',
        '{1,4}',
      ),
      fc.constantFrom('é', '😀', '(a)', '(a|b)', '(?:x{2})'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const expression = pieces.join('');
        const size = programSize(expression);
        if (size !== undefined) assert.ok(expressionCost(expression) >= size, expression);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is never less for nested groups with repetitions', () => {
    const { expression } = fc.letrec<{ expression: string; atom: string }>((tie) => ({
      atom: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('a', '.', '[a-z]', '\\d', ''),
        fc
          .tuple(fc.constantFrom('(', '(?:', '(?i:'), tie('expression'))
          .map(([open, inner]) => `${open}${inner})`),
      ),
      expression: fc
        .array(fc.tuple(tie('atom'), fc.constantFrom('', '*', '+?', '?', '{3}', '{0,4}', '{2,}', '|')), {
          maxLength: 4,
        })
        .map((items) => items.map((item) => item.join('')).join('')),
    }));
    fc.assert(
      fc.property(expression, (text) => {
        const size = programSize(text);
        if (size !== undefined) assert.ok(expressionCost(text) >= size, text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes one pass, however the brackets are nested or left open', { timeout: 30_000 }, () => {
    // A second's work in one pass; minutes if some bracket is searched for again from every place.
    for (const piece of [
      '[',
      '[[:',
      '[:',
      ':]',
      '(',
      '(?',
      '(?i',
      '{1',
      '\\Q',
      '\\x{4',
      '\\p{',
      '[\\',
      '{1,',
      '|',
    ]) {
      const text = piece.repeat(1_000_000 / piece.length);
      assert.ok(Number.isFinite(expressionCost(text)), piece);
    }
  });

  it('is a number, whatever a repetition counts to', () => {
    for (const counts of ['1'.repeat(400), `1,${'1'.repeat(400)}`, `${'1'.repeat(400)},${'1'.repeat(400)}`])
      assert.ok(expressionCost(`a{${counts}}`) > 1e6, counts.slice(0, 9));
  });

  it('is a finite number, however deep what multiplies is nested', () => {
    for (const expression of [
      '{999999999}'.repeat(40),
      `${'('.repeat(400)}a${'){1000}'.repeat(400)}`,
      `${'(a'.repeat(400)}${'){9}|'.repeat(400)}`,
      'a{1000000000}'.repeat(1_000),
    ]) {
      const cost = expressionCost(expression);
      assert.ok(Number.isFinite(cost) && cost > 1e6, `${cost} for ${expression.slice(0, 20)}`);
    }
  });

  it('does not double at each bracket that closes nothing: what is wrong with it is said by the compiler', () => {
    assert.equal(expressionCost(')'.repeat(1_500)), 1_503);
    assert.equal(expressionCost('a)'), 5);
  });

  it('grows with repetitions as they multiply', () => {
    assert.ok(expressionCost('a{1000}'.repeat(100)) >= 100_000);
    assert.ok(expressionCost('((a{10}){10}){10}') >= 1_000);
  });
});
