import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compilePermittedExpression } from './permitted-expression.ts';

const role = 'arn:aws:iam::123456789012:role/';
/** What a tenant with many roles writes: 200 ARNs. */
const plain = Array.from({ length: 200 }, (_, i) => `${role}team/service-${i}`).join('|');
/** The longest ARN there is, of what hostile expressions like best. */
const subject = `${role}${'a'.repeat(608)}!`;

/** CPU time, in microseconds, that a namespace's expression takes from its text to its verdicts. The least of three. */
function cpuOf(expression: string): number {
  const runs = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    const compiled = compilePermittedExpression(expression);
    if (compiled.kind === 'ok') for (const strict of [true, false]) compiled.value.matches(subject, strict);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.min(...runs);
}

describe('the time that an expression takes', () => {
  const hostile: [string, string][] = [
    ['repetitions within repetitions', '(a+)+$'],
    ['the same, deep', `${'('.repeat(500)}a${')+'.repeat(500)}$`],
    ['nothing, again and again', '((a*)*)*b'],
    ['alternatives that overlap', '(a|aa|aaa|a?)+b'],
    ['as many options as fit', `${'a?'.repeat(2_000)}b`],
    ['counted repetitions', 'a{1000}b'.repeat(4)],
    ['counted repetitions within each other', '((a{1,10}){1,10}){1,10}b'],
    ['as large as is compiled at all', '(.{100}){40}x'],
    ['counted repetitions beyond all', '((a{1000}){1000}){1000}'],
    ['classes of all characters', '\\pL{100}\\pN{100}[^\\pZ]{100}x'],
    ['any case of everything', `(?i)${'[a-z]*'.repeat(500)}!!`],
    ['depth alone', '('.repeat(8_000)],
    ['depth that is closed', `${'('.repeat(8_000)}${')'.repeat(8_000)}`],
    ['classes that never end', '[['.repeat(8_000)],
    ['names of classes that never end', '[[:'.repeat(5_000)],
    ['the same in many classes', '[[:a]'.repeat(3_000)],
    ['names of classes that end far away', `${'[[:'.repeat(5_000)}:]`],
    ['quotations that never end', '\\Q'.repeat(5_000)],
    ['256 kB', '(a+)+'.repeat(52_000)],
    ['256 kB of brackets', '('.repeat(262_144)],
  ];
  for (const [name, expression] of hostile) {
    it(`is bounded by that of a long list of roles: ${name}`, () => {
      const [usual, taken] = [cpuOf(plain), cpuOf(expression)];
      assert.ok(taken <= 10 * usual + 20_000, `${taken} µs, and ${usual} µs for the list`);
    });
  }
});
