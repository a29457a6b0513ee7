import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SessionIdentity } from './session.ts';
import { accountOfRole, sessionKey } from './session-key.ts';

/** Texts out of few characters, those among them that separators are made of, so that likenesses are likely. */
const hostile = fc.string({
  unit: fc.constantFrom('a', '|', ',', '"', '\\', '\0', '[', 'null'),
  maxLength: 6,
});
const identities: fc.Arbitrary<SessionIdentity> = fc
  .tuple(hostile, hostile, fc.option(hostile, { nil: undefined }))
  .map(([roleArn, sessionName, externalId]) => ({
    roleArn,
    sessionName,
    ...(externalId === undefined ? {} : { externalId }),
  }));

describe('sessionKey', () => {
  it('is equal for equal identities and for no others', () => {
    fc.assert(
      fc.property(identities, identities, (a, b) => {
        const equal =
          a.roleArn === b.roleArn && a.sessionName === b.sessionName && a.externalId === b.externalId;
        assert.equal(sessionKey(a) === sessionKey(b), equal);
      }),
    );
  });

  it('does not depend on the order of properties', () => {
    fc.assert(
      fc.property(identities, (identity) => {
        const turned = Object.fromEntries(Object.entries(identity).reverse()) as unknown as SessionIdentity;
        assert.equal(sessionKey(turned), sessionKey(identity));
      }),
    );
  });

  const different: [string, SessionIdentity, SessionIdentity][] = [
    [
      'a separator inside a name (kiam joined with |)',
      { roleArn: 'r', sessionName: 'a|b', externalId: 'c' },
      { roleArn: 'r', sessionName: 'a', externalId: 'b|c' },
    ],
    [
      'no external id and an empty one',
      { roleArn: 'r', sessionName: 'a' },
      { roleArn: 'r', sessionName: 'a', externalId: '' },
    ],
    [
      'no external id and the text null',
      { roleArn: 'r', sessionName: 'a' },
      { roleArn: 'r', sessionName: 'a', externalId: 'null' },
    ],
    ['session names', { roleArn: 'r', sessionName: 'a' }, { roleArn: 'r', sessionName: 'A' }],
    ['roles', { roleArn: 'r', sessionName: 'a' }, { roleArn: 's', sessionName: 'a' }],
  ];
  for (const [what, a, b] of different) {
    it(`tells apart ${what}`, () => assert.notEqual(sessionKey(a), sessionKey(b)));
  }
});

describe('accountOfRole', () => {
  const cases: [string, string][] = [
    ['arn:aws:iam::123456789012:role/reader', '123456789012'],
    ['arn:aws-cn:iam::210987654321:role/team/reader', '210987654321'],
    ['arn:aws-us-gov:iam::000000000001:role/reader', '000000000001'],
    ['arn:aws:iam::12345:role/reader', ''],
    ['arn:aws:s3::123456789012:role/reader', ''],
    ['reader', ''],
    ['', ''],
  ];
  for (const [arn, account] of cases) {
    it(`reads '${account}' in '${arn}'`, () => assert.equal(accountOfRole(arn), account));
  }
});
