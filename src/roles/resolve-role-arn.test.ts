import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { resolveRoleArn } from './resolve-role-arn.ts';

const base = 'arn:aws:iam::123456789012:role/';

describe('resolveRoleArn', () => {
  const good = [
    // annotation, base ARN, what it means
    ['reader', base, `${base}reader`],
    ['/reader', base, `${base}reader`],
    ['team/reader', base, `${base}team/reader`],
    ['/team/reader', base, `${base}team/reader`],
    ['//team/reader', base, `${base}/team/reader`],
    ['role/reader', base, `${base}role/reader`],
    ['reader', `${base}team/`, `${base}team/reader`],
    ['a/reader', `${base}team/`, `${base}team/a/reader`],
    ['arn:aws:iam::999999999999:role/reader', base, 'arn:aws:iam::999999999999:role/reader'],
    ['arn:aws:iam::999999999999:role/a/b', undefined, 'arn:aws:iam::999999999999:role/a/b'],
    ['arn:aws-cn:iam::999999999999:role/b', base, 'arn:aws-cn:iam::999999999999:role/b'],
    ['arn', base, `${base}arn`],
    ['arn-reader', base, `${base}arn-reader`],
  ] as const;
  for (const [annotation, baseArn, arn] of good) {
    it(`takes ${annotation} for ${arn}${baseArn === undefined ? ' without a base ARN' : ''}`, () => {
      assert.deepEqual(resolveRoleArn(annotation, baseArn), { kind: 'ok', value: arn });
    });
  }

  const bad = [
    [
      'reader',
      undefined,
      /"reader" is a short role name, and no role base ARN is configured.*--role-base-arn/,
    ],
    ['/', base, /no role name/],
    ['', base, /no role name/],
    ['reader/', base, /role name is missing/],
    ['arn:x', base, /not a role ARN/],
    ['arn:aws:iam::123456789012:role/', base, /role name is missing/],
    ['ARN:aws:iam::123456789012:role/x', base, /has to start with "arn:" in lower case/],
    [' reader', base, /" reader" contains white space/],
    ['reader\n', base, /"reader\\u\{a\}" contains white space/],
    ['my reader', undefined, /contains white space/],
    ['\t', base, /contains white space/],
    ['reader\u0000', base, /does not allow/],
    ['rôle', base, /does not allow/],
    ['*', base, /does not allow/],
    ['team:reader', base, /does not allow/],
    ['n'.repeat(65), base, /longer than 64/],
    [`${'p'.repeat(300)}/n`, `${base}${'q'.repeat(300)}/`, /longer than/],
    ['x'.repeat(256_000), base, /longer than any role ARN/],
  ] as const;
  for (const [annotation, baseArn, problem] of bad) {
    it(`refuses ${JSON.stringify(annotation.slice(0, 40))}: ${problem.source.slice(0, 40)}`, () => {
      const resolved = resolveRoleArn(annotation, baseArn);
      assert.match(resolved.kind === 'invalid' ? resolved.problem : `taken for ${resolved.value}`, problem);
    });
  }

  it('gives a short name only roles behind the base ARN, whatever the name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (annotation) => {
        const resolved = resolveRoleArn(annotation, base);
        if (resolved.kind === 'ok' && !annotation.startsWith('arn:'))
          assert.ok(resolved.value.startsWith(base));
      }),
    );
  });

  it('means the same with and without the slash before it', () => {
    const name = fc.string({ unit: fc.constantFrom(...'ab/.-+ :'), minLength: 1 });
    fc.assert(
      fc.property(
        name.filter((text) => !text.startsWith('/')),
        (text) => {
          const plain = resolveRoleArn(text, base);
          if (plain.kind === 'ok') assert.deepEqual(resolveRoleArn(`/${text}`, base), plain);
        },
      ),
    );
  });
});
