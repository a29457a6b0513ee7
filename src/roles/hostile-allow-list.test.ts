import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AllowedRolesFormat, compileAllowedRoles } from './allowed-roles.ts';
import { longestRoleArn } from './role-arn.ts';

const baseArn = 'arn:aws:iam::123456789012:role/';
const listOf = (entries: readonly string[]) => JSON.stringify(entries);
/** `count` different entries. */
const times = (count: number, entryOf: (i: number) => string) =>
  listOf(Array.from({ length: count }, (_, i) => entryOf(i)));
/** What a tenant with many roles writes. */
const plain = times(200, (i) => `${baseArn}team/service-${i}`);
/** The longest ARN there is, of what hostile entries like best. */
const subject = `${baseArn}${'a'.repeat(longestRoleArn - baseArn.length - 1)}!`;

/** CPU time, in microseconds, that a list takes from its text to its verdict. The least of three. */
function cpuOf(text: string, format: AllowedRolesFormat): number {
  const runs = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    const compiled = compileAllowedRoles(text, { format, baseArn });
    if (compiled.kind === 'ok') assert.equal(compiled.value.permits(subject), false);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.min(...runs);
}

describe('the time that an allow-list takes', () => {
  const hostile: [name: string, format: AllowedRolesFormat, text: string][] = [
    ['as many stars as fit', 'glob', times(25, (i) => `${'*a'.repeat(300)}*${i}b`)],
    ['stars and nothing else', 'glob', times(25, (i) => `${'*'.repeat(600 + i)}b`)],
    ['as many globs as are taken', 'glob', times(500, (i) => `*a*a*a*${i}*b`)],
    [
      'globs that begin as all others do',
      'glob',
      times(25, (i) => `${'a'.repeat(300 + i)}*${'a'.repeat(300)}b`),
    ],
    ['repetitions within repetitions', 'regexp', times(500, (i) => `(a+)+${i}`)],
    ['alternatives that overlap', 'regexp', times(400, (i) => `(a|aa|aaa|a?)+${i}`)],
    ['as many options as fit', 'regexp', times(7, (i) => `${'a?'.repeat(1_000)}${i}b`)],
    ['counted repetitions', 'regexp', times(300, (i) => `((a{1,10}){1,10}){1,10}${i}b`)],
    ['as large as is compiled at all', 'regexp', times(2, (i) => `(.{100}){40}${i}`)],
    ['any case of everything', 'regexp', times(30, (i) => `(?i)${'[a-z]*'.repeat(80)}${i}!!`)],
    ['classes that never end', 'regexp', times(400, (i) => `[[:a]${'['.repeat(20)}${i}`)],
    ['one entry, again and again', 'regexp', listOf(Array(500).fill('((a*)*)*b'))],
    ['lists within lists', 'glob', '['.repeat(16_000)],
    ['lists within lists that are closed', 'glob', `${'['.repeat(8_000)}${']'.repeat(8_000)}`],
    ['a text that never ends', 'glob', `["${'\\\\'.repeat(8_000)}`],
    ['escapes alone', 'glob', `["${'\\u002a'.repeat(2_600)}"]`],
    ['white space alone', 'glob', `[${' '.repeat(16_000)}]`],
    ['256 kB', 'regexp', times(30_000, (i) => `a${i}`)],
    ['256 kB of brackets', 'glob', '['.repeat(262_144)],
  ];
  for (const [name, format, text] of hostile) {
    it(`is bounded by that of a long list of roles: ${name}`, (t) => {
      const [usual, taken] = [cpuOf(plain, 'regexp'), cpuOf(text, format)];
      t.diagnostic(`${taken} µs, and ${usual} µs for the list`);
      assert.ok(taken <= 10 * usual + 200_000, `${taken} µs, and ${usual} µs for the list`);
    });
  }
});
