import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateIdentity, parseIdentityPolicy } from './identity-policy.ts';
import { call, role, serverArn, signedCall, startSts, trust } from './sts.fixture.ts';

const reader = 'arn:aws:iam::123456789012:role/pods/reader';
const request = {
  action: 'sts:AssumeRole',
  resource: reader,
  context: new Map([['sts:rolesessionname', ['podpass-a']]]),
};

function policy(...statements: readonly Record<string, unknown>[]) {
  return parseIdentityPolicy({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      Resource: '*',
      ...statement,
    })),
  });
}

describe('evaluateIdentity', () => {
  const named = { 'sts:RoleSessionName': 'podpass-*' };
  const cases: readonly (readonly [statement: Record<string, unknown>, verdict: string])[] = [
    [{}, 'allowed'],
    [{ Action: ['s3:*', 'STS:assume*'] }, 'allowed'],
    [{ Action: 'sts:AssumeRoleWithSAML' }, 'silent'],
    [{ Resource: reader }, 'allowed'],
    [{ Resource: 'arn:aws:iam::123456789012:role/pods/*' }, 'allowed'],
    [{ Resource: 'arn:aws:iam::123456789012:role/pods/READER' }, 'silent'],
    [{ Resource: ['arn:aws:iam::123456789012:role/reader', 'arn:aws:iam::*:role/other/*'] }, 'silent'],
    [{ Condition: { StringLike: named } }, 'allowed'],
    [{ Condition: { StringNotLike: named } }, 'silent'],
    [{ Effect: 'Deny' }, 'denied'],
    [{ Effect: 'Deny', Resource: 'arn:aws:iam::123456789012:role/other' }, 'silent'],
  ];
  for (const [statement, verdict] of cases) {
    it(`answers ${verdict} for ${JSON.stringify(statement)}`, () => {
      assert.equal(evaluateIdentity([policy(statement)], request), verdict);
    });
  }

  it('lets a Deny of one policy win over an Allow of another', () => {
    assert.equal(evaluateIdentity([policy({}), policy({ Effect: 'Deny' })], request), 'denied');
  });

  it('says nothing without a policy', () => {
    assert.equal(evaluateIdentity([], request), 'silent');
  });
});

describe('parseIdentityPolicy', () => {
  const refused: readonly (readonly [statement: Record<string, unknown>, says: RegExp])[] = [
    [{ NotResource: '*' }, /has NotResource, which the sandbox does not evaluate/],
    [{ Principal: '*' }, /has Principal/],
    [{ Effect: 'allow' }, /Effect must be Allow or Deny/],
    [{ Resource: 1 }, /Resource is not a text/],
    [{ Resource: `arn:aws:iam::1:role/\${aws:username}` }, /policy variable/],
  ];
  for (const [statement, says] of refused) {
    it(`refuses ${JSON.stringify(statement)}`, () => {
      assert.throws(() => policy(statement), { code: 'ERR_SANDBOX', message: says });
    });
  }

  it('refuses a document of another version', () => {
    assert.throws(() => parseIdentityPolicy({ Statement: [] }), { code: 'ERR_SANDBOX', message: /Version/ });
  });
});

describe('AssumeRole of a role with policies', () => {
  it('is refused where they deny it, though the role asked for names the caller', async () => {
    const { sts, clock, credentials, readerArn } = startSts();
    const parameters = { Action: 'AssumeRole', RoleArn: readerArn, RoleSessionName: 'podpass-a' };
    const ask = async () =>
      (await call(sts, signedCall(parameters, { credentials, at: clock.now() }))).status;
    assert.equal(await ask(), 200);
    const instance = trust({ Service: 'ec2.amazonaws.com' });
    sts.roles.set(serverArn, role(serverArn, instance, { policies: [policy({ Effect: 'Deny' })] }));
    assert.equal(await ask(), 403);
  });
});
