import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateTrust, parseTrustPolicy, type TrustCaller } from './trust-policy.ts';

const server: TrustCaller = {
  kind: 'session',
  roleArn: 'arn:aws:iam::123456789012:role/infra/podpass-server',
  sessionArn: 'arn:aws:sts::123456789012:assumed-role/podpass-server/i-1',
  account: '123456789012',
};
const issuer: TrustCaller = {
  kind: 'federated',
  providerArn: 'arn:aws:iam::123456789012:oidc-provider/oidc.example',
};
const ec2: TrustCaller = { kind: 'service', service: 'ec2.amazonaws.com' };
const context = new Map([['sts:externalid', ['x-1']]]);

function policy(...statements: readonly Record<string, unknown>[]) {
  return parseTrustPolicy({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', Action: 'sts:AssumeRole', ...statement })),
  });
}

describe('evaluateTrust', () => {
  const principals: readonly (readonly [principal: unknown, caller: TrustCaller, verdict: string])[] = [
    [{ AWS: server.roleArn }, server, 'principal'],
    [{ AWS: server.sessionArn }, server, 'principal'],
    [{ AWS: ['arn:aws:iam::123456789012:role/other', server.roleArn] }, server, 'principal'],
    [{ AWS: 'arn:aws:iam::123456789012:role/podpass-server' }, server, 'denied'],
    [{ AWS: 'arn:aws:sts::123456789012:assumed-role/podpass-server/i-2' }, server, 'denied'],
    [{ AWS: 'arn:aws:iam::123456789012:root' }, server, 'account'],
    [{ AWS: '123456789012' }, server, 'account'],
    [{ AWS: '210987654321' }, server, 'denied'],
    [{ AWS: '*' }, server, 'principal'],
    ['*', server, 'principal'],
    ['*', issuer, 'denied'],
    [{ AWS: ['123456789012', server.roleArn] }, server, 'principal'],
    [{ Federated: issuer.providerArn }, issuer, 'principal'],
    [{ Federated: 'arn:aws:iam::123456789012:oidc-provider/oidc.example/2' }, issuer, 'denied'],
    [{ Federated: issuer.providerArn }, server, 'denied'],
    [{ Service: 'ec2.amazonaws.com' }, ec2, 'principal'],
    [{ Service: 'ec2.amazonaws.com' }, server, 'denied'],
    [{ Service: 'lambda.amazonaws.com' }, ec2, 'denied'],
    [{ Service: 'ec2.amazonaws.com', AWS: server.roleArn }, server, 'principal'],
  ];
  for (const [principal, caller, verdict] of principals) {
    it(`answers ${verdict} for ${JSON.stringify(principal)} and a ${caller.kind}`, () => {
      const trusted = policy({ Principal: principal });
      assert.equal(evaluateTrust(trusted, caller, 'sts:AssumeRole', context), verdict);
    });
  }

  const actions: readonly (readonly [action: unknown, verdict: string])[] = [
    ['sts:AssumeRole', 'principal'],
    ['sts:assumerole', 'principal'],
    ['sts:*', 'principal'],
    ['*', 'principal'],
    ['sts:AssumeRole*', 'principal'],
    [['sts:TagSession', 'sts:AssumeRole'], 'principal'],
    ['sts:TagSession', 'denied'],
    ['sts:AssumeRoleWithWebIdentity', 'denied'],
  ];
  for (const [action, verdict] of actions) {
    it(`answers ${verdict} to AssumeRole where the action is ${JSON.stringify(action)}`, () => {
      const trusted = policy({ Principal: { AWS: server.roleArn }, Action: action });
      assert.equal(evaluateTrust(trusted, server, 'sts:AssumeRole', context), verdict);
    });
  }

  it('lets a Deny win, wherever it stands', () => {
    const allow = { Principal: { AWS: server.roleArn } };
    const deny = { Effect: 'Deny', Principal: { AWS: '123456789012' } };
    assert.equal(evaluateTrust(policy(allow, deny), server, 'sts:AssumeRole', context), 'denied');
    assert.equal(evaluateTrust(policy(deny, allow), server, 'sts:AssumeRole', context), 'denied');
  });

  it('passes over a Deny whose condition does not hold', () => {
    const allow = { Principal: { AWS: server.roleArn } };
    const deny = {
      Effect: 'Deny',
      Principal: '*',
      Condition: { StringNotEquals: { 'sts:ExternalId': 'x-1' } },
    };
    assert.equal(evaluateTrust(policy(allow, deny), server, 'sts:AssumeRole', context), 'principal');
    assert.equal(evaluateTrust(policy(allow, deny), server, 'sts:AssumeRole', new Map()), 'denied');
  });

  it('passes over an Allow whose condition does not hold', () => {
    const trusted = policy({
      Principal: { AWS: server.roleArn },
      Condition: { StringEquals: { 'sts:ExternalId': 'x-2' } },
    });
    assert.equal(evaluateTrust(trusted, server, 'sts:AssumeRole', context), 'denied');
  });

  it('denies when no statement speaks of the caller', () => {
    assert.equal(evaluateTrust(policy(), server, 'sts:AssumeRole', context), 'denied');
  });
});

describe('parseTrustPolicy', () => {
  it('takes one statement without a list around it, as IAM does', () => {
    const trusted = parseTrustPolicy({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' },
    });
    assert.equal(evaluateTrust(trusted, server, 'sts:AssumeRole', context), 'principal');
  });

  const good = { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' };
  const cases: readonly (readonly [what: string, document: unknown, says: RegExp])[] = [
    ['no document', undefined, /trust policy is not a mapping/],
    ['an older version', { Version: '2008-10-17', Statement: [good] }, /Version/],
    ['a version that YAML took for a date', { Version: new Date(0), Statement: [good] }, /"2012-10-17"/],
    ['no statement', { Version: '2012-10-17' }, /Statement is not a mapping/],
    [
      'an effect that is none',
      { Version: '2012-10-17', Statement: [{ ...good, Effect: 'allow' }] },
      /Effect/,
    ],
    [
      'NotPrincipal',
      { Version: '2012-10-17', Statement: [{ ...good, NotPrincipal: '*' }] },
      /NotPrincipal, which the sandbox does not evaluate/,
    ],
    ['no action', { Version: '2012-10-17', Statement: [{ ...good, Action: undefined }] }, /Action/],
    ['no principal', { Version: '2012-10-17', Statement: [{ ...good, Principal: undefined }] }, /Principal/],
    [
      'a wildcard in an ARN',
      {
        Version: '2012-10-17',
        Statement: [{ ...good, Principal: { AWS: 'arn:aws:iam::123456789012:role/*' } }],
      },
      /role\/\*" is neither/,
    ],
    [
      'a user',
      {
        Version: '2012-10-17',
        Statement: [{ ...good, Principal: { AWS: 'arn:aws:iam::123456789012:user/a' } }],
      },
      /user\/a" is neither/,
    ],
    [
      'an account id without quotes',
      { Version: '2012-10-17', Statement: [{ ...good, Principal: { AWS: 123456789012 } }] },
      /quotes/,
    ],
    [
      'another kind of principal',
      { Version: '2012-10-17', Statement: [{ ...good, Principal: { CanonicalUser: 'a' } }] },
      /CanonicalUser/,
    ],
  ];
  for (const [what, document, says] of cases) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseTrustPolicy(document), { code: 'ERR_SANDBOX', message: says });
    });
  }
});
