import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { resolveRoleArn } from '../roles/resolve-role-arn.ts';
import { isRequestedRole } from './requested-role.ts';

const base = 'arn:aws:iam::123456789012:role/';

function bind(name: string) {
  const resolved = resolveRoleArn(name, base);
  assert.ok(resolved.kind === 'ok', name);
  return { name, arn: resolved.value };
}

describe('isRequestedRole', () => {
  const table = [
    // annotation, asked for and given, asked for and refused
    [
      'reader',
      ['reader', '/reader', 'reader/', '/reader/', '//reader', 'reader//', `${base}reader`, `/${base}reader/`],
      ['', '/', '//', 'reade', 'reader2', 'Reader', 'team/reader', `${base}writer`, 'arn:aws-cn:iam::123456789012:role/reader'],
    ],
    ['/reader', ['reader', '/reader', '/reader/', `${base}reader`], ['arn:aws:iam::999999999999:role/reader']],
    [
      'team/reader',
      ['team/reader', '/team/reader', `${base}team/reader`],
      ['reader', '/reader', 'team', 'team/', `${base}reader`],
    ],
    ['/team/reader', ['team/reader', '/team/reader', `${base}team/reader`], ['reader']],
    [`${base}reader`, [`${base}reader`, 'reader', '/reader', `${base}reader/`], ['role/reader', 'writer', base]],
    [`${base}team/reader`, [`${base}team/reader`, 'team/reader', '/team/reader/'], ['reader', 'team']],
    ['arn:aws:iam::999999999999:role/reader', ['arn:aws:iam::999999999999:role/reader', 'reader'], [`${base}reader`]],
  ] as const; // biome-ignore format: a table
  for (const [annotation, given, refused] of table) {
    it(`knows ${annotation} by its names and by no other`, () => {
      const bound = bind(annotation);
      for (const requested of given) assert.equal(isRequestedRole(requested, bound), true, requested);
      for (const requested of refused) assert.equal(isRequestedRole(requested, bound), false, requested);
    });
  }

  const name = fc.string({ unit: fc.constantFrom(...'ab/-.'), minLength: 1, maxLength: 8 });
  // IAM takes doubled slashes in a path; a metadata path does not tell them from single ones.
  const bindable = name.filter((text) => !text.includes('//') && resolveRoleArn(text, base).kind === 'ok');

  it('gives every role under the name that the list shows, and under its ARN', () => {
    fc.assert(
      fc.property(bindable, (text) => {
        const bound = bind(text);
        assert.ok(isRequestedRole(bound.name, bound));
        assert.ok(isRequestedRole(bound.arn, bound));
      }),
    );
  });

  it('never takes the name of one role for that of another', () => {
    fc.assert(
      fc.property(bindable, bindable, (a, b) => {
        const bound = bind(a);
        const other = bind(b);
        if (bound.arn !== other.arn) assert.equal(isRequestedRole(b, bound), false);
        else assert.equal(isRequestedRole(b, bound), true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, (requested, boundName, arn) => {
        assert.equal(typeof isRequestedRole(requested, { name: boundName, arn }), 'boolean');
      }),
    );
  });
});
