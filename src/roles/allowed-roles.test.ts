import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type AllowedRolesFormat, compileAllowedRoles } from './allowed-roles.ts';

const baseArn = 'arn:aws:iam::123456789012:role/';
const foreign = 'arn:aws:iam::999999999999:role/';

function permits(format: AllowedRolesFormat, entries: unknown, arn: string, base: string | null = baseArn) {
  const text = typeof entries === 'string' ? entries : JSON.stringify(entries);
  const compiled = compileAllowedRoles(text, { format, ...(base !== null && { baseArn: base }) });
  return compiled.kind === 'ok' ? compiled.value.permits(arn) : compiled.problem;
}

describe('an allow-list of globs', () => {
  const table: readonly (readonly [entries: readonly string[], arn: string, permitted: boolean])[] = [
    [['reader'], `${baseArn}reader`, true],
    [['reader'], `${baseArn}reader-admin`, false],
    [['reader'], `${foreign}reader`, false],
    [['writer', 'read*'], `${baseArn}reader`, true],
    [['team/*'], `${baseArn}team/a/reader`, true],
    [['*'], `${baseArn}any/thing`, true],
    [['*'], `${foreign}reader`, false],
    [['arn:*'], `${foreign}reader`, true],
    [[`${foreign}reader`], `${foreign}reader`, true],
    [[`${foreign}*`], `${baseArn}reader`, false],
    [['Reader'], `${baseArn}reader`, false],
    [[], `${baseArn}reader`, false],
  ];
  for (const [entries, arn, permitted] of table) {
    it(`${JSON.stringify(entries)} on ${arn.slice(13)}: ${permitted}`, () =>
      assert.equal(permits('glob', entries, arn), permitted));
  }

  it('takes an entry that is there twice for one', () => {
    assert.equal(permits('glob', ['reader', 'writer', 'reader'], `${baseArn}reader`), true);
    assert.equal(permits('glob', ['writer', 'writer'], `${baseArn}reader`), false);
    const heavy = 'x{900}y{900}z{900}';
    assert.equal(permits('regexp', Array(100).fill(heavy), `${baseArn}x`), false, 'compiled once');
  });

  it('counts as written where there is no base ARN', () => {
    assert.equal(permits('glob', ['*'], `${foreign}reader`, null), true);
    assert.equal(permits('glob', ['reader'], `${foreign}reader`, null), false);
  });
});

describe('an allow-list of regular expressions', () => {
  const table: readonly (readonly [entries: readonly string[], arn: string, permitted: boolean])[] = [
    [['reader'], `${baseArn}reader`, true],
    // kube2iam permitted these.
    [['explicit-role'], `${baseArn}explicit-role-admin`, false],
    [['a|b'], `${foreign}b-admin`, false],
    [['a|b'], `${baseArn}b`, true],
    [['reader'], 'arn:aws:iam::123456789012:roleXreader', false],
    // And never these.
    [[`^${baseArn}reader$`], `${baseArn}reader`, true],
    [['^reader$'], `${baseArn}reader`, true],
    [['.*'], `${baseArn}team/reader`, true],
    [['.*'], `${foreign}reader`, false],
    [[`arn:aws:iam::\\d{12}:role/reader`], `${foreign}reader`, true],
    [[`${foreign}reader|${foreign}writer`], `${foreign}writer-admin`, false],
    [['\\Qreader'], `${baseArn}reader`, true],
    [['(?i)READER'], `${baseArn}reader`, true],
  ];
  for (const [entries, arn, permitted] of table) {
    it(`${JSON.stringify(entries)} on ${arn.slice(13)}: ${permitted}`, () =>
      assert.equal(permits('regexp', entries, arn), permitted));
  }

  it('cannot break out of its place', () => {
    assert.match(String(permits('regexp', ['a)|(.*'], `${foreign}x`)), /the entry "a\)\|\(\.\*": /);
  });

  it('is bounded as a whole', () => {
    const heavy = Array.from({ length: 4 }, (_, i) => `x{900}y{900}z{900}${i}`);
    assert.match(String(permits('regexp', heavy, `${baseArn}x`)), /too large together/);
    assert.equal(permits('regexp', heavy.slice(0, 1), `${baseArn}x`), false);
  });
});

describe('a list that is none', () => {
  const table: readonly (readonly [text: string, problem: RegExp])[] = [
    ['reader', /it is not JSON; it has to look like \["reader", "team-\*"\]/],
    ['["reader",]', /it is not JSON/],
    ['"reader"', /it is not a JSON array/],
    ['{"0":"reader"}', /it is not a JSON array/],
    ['null', /it is not a JSON array/],
    ['["a", null]', /entry 2 of the list is not a text/],
    ['["a", 1]', /entry 2 of the list is not a text/],
    ['[["a"]]', /entry 1 of the list is not a text/],
    ['["a", ""]', /entry 2 of the list is empty/],
    [JSON.stringify(Array.from({ length: 501 }, (_, i) => `r${i}`)), /has 501 entries, and at most 500/],
    [JSON.stringify(['x'.repeat(641)]), /longer than any role ARN/],
    [JSON.stringify(['x'.repeat(20_000)]), /at most 16384/],
    ['['.repeat(16_000), /it is not JSON/],
  ];
  for (const [text, problem] of table) {
    it(`permits nothing: ${text.slice(0, 40)}`, () =>
      assert.match(String(permits('glob', text, `${baseArn}a`)), problem));
  }

  it('permits nothing, whatever it is', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `[${json},"*"]`),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('glob', 'regexp'), (list, format) => {
        let read: unknown;
        try {
          read = JSON.parse(list);
        } catch {}
        const isList =
          Array.isArray(read) && read.every((entry) => typeof entry === 'string' && entry !== '');
        const found = permits(format, list, `${baseArn}reader`);
        if (!isList) assert.equal(typeof found, 'string');
      }),
    );
  });
});

it('permits what one of its entries permits, and nothing else', () => {
  const entry = fc.string({ unit: fc.constantFrom('a', 'b', '*', '/'), minLength: 1, maxLength: 5 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 5 });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), name, (entries, role) => {
      const arn = baseArn + role;
      const any = entries.some((one) => permits('glob', [one], arn) === true);
      assert.equal(permits('glob', entries, arn), any);
    }),
  );
});
