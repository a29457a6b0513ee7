import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conditionsHold, parseConditions } from './condition.ts';

const context = new Map([
  ['sts:externalid', ['secret-1']],
  ['sts:rolesessionname', ['kiam-web']],
  ['aws:principalaccount', ['123456789012']],
  ['oidc.example:aud', ['sts.amazonaws.com', 'vault']],
]);

describe('conditionsHold', () => {
  const cases: readonly (readonly [what: string, block: unknown, expected: boolean])[] = [
    ['no condition at all', undefined, true],
    ['an equal text', { StringEquals: { 'sts:ExternalId': 'secret-1' } }, true],
    ['a key in another case', { StringEquals: { 'STS:externalID': 'secret-1' } }, true],
    ['a value in another case', { StringEquals: { 'sts:ExternalId': 'SECRET-1' } }, false],
    ['one of several values', { StringEquals: { 'sts:ExternalId': ['x', 'secret-1'] } }, true],
    ['none of several values', { StringEquals: { 'sts:ExternalId': ['x', 'y'] } }, false],
    ['a star where it is no wildcard', { StringEquals: { 'sts:ExternalId': 'secret-*' } }, false],
    ['a star where it is one', { StringLike: { 'sts:ExternalId': 'secret-*' } }, true],
    ['a wildcard that does not match', { StringLike: { 'sts:ExternalId': 'other-*' } }, false],
    ['a text that is not the excluded one', { StringNotEquals: { 'sts:ExternalId': 'x' } }, true],
    ['the excluded text', { StringNotEquals: { 'sts:ExternalId': ['x', 'secret-1'] } }, false],
    ['an excluded wildcard', { StringNotLike: { 'sts:RoleSessionName': 'kiam-*' } }, false],
    ['a wildcard that excludes others', { StringNotLike: { 'sts:RoleSessionName': 'admin-*' } }, true],
    ['one value of a key that has two', { StringEquals: { 'oidc.example:aud': 'vault' } }, true],
    ['exclusion of one value of two', { StringNotEquals: { 'oidc.example:aud': 'vault' } }, false],
    ['a key that is absent', { StringEquals: { 'aws:PrincipalArn': 'arn' } }, false],
    ['an absent key, like', { StringLike: { 'aws:PrincipalArn': '*' } }, false],
    ['an absent key, negated', { StringNotEquals: { 'aws:PrincipalArn': 'arn' } }, true],
    ['an absent key, if it exists', { StringEqualsIfExists: { 'aws:PrincipalArn': 'arn' } }, true],
    ['a present key, if it exists', { StringEqualsIfExists: { 'sts:ExternalId': 'x' } }, false],
    ['a present key, like, if it exists', { StringLikeIfExists: { 'sts:ExternalId': 's*' } }, true],
    [
      'two keys of which one fails',
      { StringEquals: { 'sts:ExternalId': 'secret-1', 'aws:PrincipalAccount': '210987654321' } },
      false,
    ],
    [
      'two operators of which both hold',
      {
        StringEquals: { 'sts:ExternalId': 'secret-1' },
        StringLike: { 'aws:PrincipalAccount': '1234*' },
      },
      true,
    ],
    [
      'two operators of which one fails',
      { StringEquals: { 'sts:ExternalId': 'secret-1' }, StringLike: { 'aws:PrincipalAccount': '2*' } },
      false,
    ],
  ];
  for (const [what, block, expected] of cases) {
    it(`${expected ? 'holds' : 'does not hold'} for ${what}`, () => {
      assert.equal(conditionsHold(parseConditions(block), context), expected);
    });
  }
});

describe('parseConditions', () => {
  const cases: readonly (readonly [what: string, block: unknown, says: RegExp])[] = [
    ['an operator it would not evaluate', { DateLessThan: { 'aws:CurrentTime': 'x' } }, /DateLessThan/],
    ['a set operator', { 'ForAnyValue:StringEquals': { 'o:aud': 'x' } }, /ForAnyValue:StringEquals/],
    ['a property of every object', { constructor: { 'o:aud': 'x' } }, /constructor/],
    ['a key it would not know', { StringEquals: { 'aws:SourceIp': '10.0.0.1' } }, /aws:SourceIp/],
    ['a number for a text', { StringEquals: { 'aws:PrincipalAccount': 123456789012 } }, /quotes/],
    ['an empty list', { StringEquals: { 'sts:ExternalId': [] } }, /list of texts/],
    ['a list for a mapping', { StringEquals: ['sts:ExternalId'] }, /StringEquals is not a mapping/],
    ['a text for the whole', 'sts:ExternalId', /Condition is not a mapping/],
    ['nothing for the whole', null, /Condition is not a mapping/],
  ];
  for (const [what, block, says] of cases) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseConditions(block), { code: 'ERR_SANDBOX', message: says });
    });
  }

  it('takes the subject and audience of any issuer', () => {
    const parsed = parseConditions({ StringLike: { 'oidc.example/id/ABC:sub': 'system:serviceaccount:*' } });
    assert.deepEqual(parsed, [
      {
        operator: 'StringLike',
        ifExists: false,
        key: 'oidc.example/id/abc:sub',
        values: ['system:serviceaccount:*'],
      },
    ]);
  });
});
