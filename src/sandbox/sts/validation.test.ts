import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ValidatedParameter, validateParameters } from './validation.ts';

const roleArn = 'arn:aws:iam::123456789012:role/reader';
const all: readonly ValidatedParameter[] = ['RoleArn', 'RoleSessionName', 'ExternalId', 'DurationSeconds'];

function validate(extra: Readonly<Record<string, string>>, names = all) {
  const parameters = { RoleArn: roleArn, RoleSessionName: 'kiam-web', ...extra };
  return validateParameters(new Map(Object.entries(parameters)), names);
}

const prefix = '1 validation error detected: Value ';

describe('validateParameters', () => {
  it('finds nothing wrong with a call as podpass makes it', () => {
    assert.equal(validate({}), undefined);
    assert.equal(validate({ ExternalId: 'a/b:c=d,e.f@g-h+i', DurationSeconds: '3600' }), undefined);
  });

  const cases: readonly (readonly [parameters: Record<string, string>, message: string])[] = [
    [
      { RoleSessionName: 'a' },
      `${prefix}'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2`,
    ],
    [
      { RoleSessionName: 'a'.repeat(65) },
      `${prefix}'${'a'.repeat(65)}' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ],
    [
      { RoleSessionName: 'my session' },
      `${prefix}'my session' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`,
    ],
    [
      { ExternalId: 'a b' },
      `${prefix}'a b' at 'externalId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*`,
    ],
    [
      { ExternalId: 'x' },
      `${prefix}'x' at 'externalId' failed to satisfy constraint: Member must have length greater than or equal to 2`,
    ],
    [
      { DurationSeconds: '899' },
      `${prefix}'899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900`,
    ],
    [
      { DurationSeconds: '43201' },
      `${prefix}'43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200`,
    ],
    [
      { RoleArn: 'reader' },
      `${prefix}'reader' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20`,
    ],
    [
      { RoleSessionName: '!' },
      "2 validation errors detected: Value '!' at 'roleSessionName' failed to satisfy constraint: Member must " +
        "satisfy regular expression pattern: [\\w+=,.@-]*; Value '!' at 'roleSessionName' failed to satisfy " +
        'constraint: Member must have length greater than or equal to 2',
    ],
  ];
  for (const [parameters, message] of cases) {
    it(`refuses ${JSON.stringify(parameters).slice(0, 60)}`, () => {
      assert.deepEqual(validate(parameters), {
        kind: 'failed',
        status: 400,
        code: 'ValidationError',
        message,
      });
    });
  }

  it('reports what is missing', () => {
    const found = validateParameters(new Map(), [
      'RoleArn',
      'RoleSessionName',
      'ExternalId',
      'DurationSeconds',
    ]);
    assert.equal(
      found?.message,
      "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be " +
        "null; Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null",
    );
  });

  for (const text of ['', 'abc', '1e3', '3600.5', ' 3600', '9'.repeat(20)]) {
    it(`takes ${JSON.stringify(text)} for no number`, () => {
      assert.match(validate({ DurationSeconds: text })?.message ?? '', /durationSeconds/);
    });
  }

  it('never shows a token', () => {
    const found = validate({ WebIdentityToken: 'abc' }, ['WebIdentityToken']);
    assert.match(found?.message ?? '', /webIdentityToken/);
    assert.doesNotMatch(found?.message ?? '', /abc/);
  });

  it('accepts exactly the session names of the pattern', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 70 }), (name) => {
        const good = /^[A-Za-z0-9_+=,.@-]{2,64}$/.test(name);
        assert.equal(validate({ RoleSessionName: name }) === undefined, good);
      }),
    );
  });
});
