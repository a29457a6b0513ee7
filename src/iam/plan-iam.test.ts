import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatRoleArn } from '../roles/role-arn.ts';
import { type IamRequest, planIam } from './plan-iam.ts';

const request: IamRequest = {
  account: '123456789012',
  partition: 'aws',
  serverRole: 'podpass-server',
  nodeRoles: ['node'],
  serviceAccount: 'kube-system/podpass-server',
  appRoles: ['reader'],
  externalId: false,
};
const { account: _, ...withoutAccount } = request;
const issuer = 'https://oidc.example.com/id/1';

describe('planIam', () => {
  it('reads names in the account and partition given, and ARNs as they are', () => {
    const arn = 'arn:aws-cn:iam::210987654321:role/team/writer';
    const plan = planIam({ ...request, partition: 'aws-cn', appRoles: ['/team/reader', arn] });
    assert.deepEqual(plan.applications.map(formatRoleArn), [
      'arn:aws-cn:iam::123456789012:role/team/reader',
      arn,
    ]);
  });

  it('takes an issuer with or without its scheme and a last slash', () => {
    for (const oidcProvider of [issuer, `${issuer}/`, 'oidc.example.com/id/1']) {
      const { identity } = planIam({ ...request, nodeRoles: [], oidcProvider });
      assert.deepEqual(identity, {
        kind: 'web-identity',
        provider: 'oidc.example.com/id/1',
        subject: 'system:serviceaccount:kube-system:podpass-server',
      });
    }
  });

  const long = Array.from({ length: 150 }, (_, index) => `a-role-with-a-long-name-${index}`);
  const cases: readonly (readonly [what: string, asked: IamRequest, code: string, says: RegExp])[] = [
    [
      'a name without an account',
      withoutAccount,
      'ERR_USAGE',
      /^--server-role "podpass-server" is a name: give --account/,
    ],
    [
      'a bad account',
      { ...request, account: '1234' },
      'ERR_ROLE_ARN',
      /an account has 12 digits, not "1234"/,
    ],
    [
      'a bad partition',
      { ...request, partition: 'azure' },
      'ERR_ROLE_ARN',
      /"azure" is not an AWS partition/,
    ],
    ['a bad name', { ...request, nodeRoles: ['a b'] }, 'ERR_ROLE_ARN', /^--node-role: .*white space/],
    ['a wildcard', { ...request, appRoles: ['te*m/reader'] }, 'ERR_ROLE_ARN', /^--app-role: .*has "\*"/],
    ['a variable', { ...request, appRoles: ['/$x/reader'] }, 'ERR_ROLE_ARN', /has "\$"/],
    ['no application', { ...request, appRoles: [] }, 'ERR_USAGE', /missing: --app-role or --app-role-path/],
    [
      'no way to the server role',
      { ...request, nodeRoles: [] },
      'ERR_USAGE',
      /missing: --node-role or --oidc/,
    ],
    ['two ways', { ...request, oidcProvider: issuer }, 'ERR_USAGE', /give one of them/],
    [
      'a bad issuer',
      { ...request, nodeRoles: [], oidcProvider: 'http://a.b' },
      'ERR_USAGE',
      /not the URL of an issuer/,
    ],
    [
      'a wildcard for a service account',
      { ...request, nodeRoles: [], oidcProvider: issuer, serviceAccount: 'kube-system/*' },
      'ERR_USAGE',
      /NAMESPACE\/NAME/,
    ],
    [
      'pods with the server role',
      { ...request, appRoles: ['podpass-server'] },
      'ERR_USAGE',
      /is given twice/,
    ],
    [
      'pods with the role of a node',
      { ...request, appRoles: ['/node'] },
      'ERR_USAGE',
      /role\/node is given twice/,
    ],
    [
      'two partitions',
      { ...request, appRoles: ['arn:aws-cn:iam::123456789012:role/reader'] },
      'ERR_USAGE',
      /not in the partition aws of the server role/,
    ],
    ['a path without slashes', { ...request, appRolePath: 'pods' }, 'ERR_USAGE', /begin and end with "\/"/],
    ['a path for everything', { ...request, appRolePath: '/' }, 'ERR_USAGE', /have a name between/],
    ['a path with a wildcard', { ...request, appRolePath: '/p*/' }, 'ERR_ROLE_ARN', /--app-role-path/],
    [
      'a path above the server role',
      { ...request, serverRole: '/pods/x/server', appRolePath: '/pods/' },
      'ERR_USAGE',
      /has the server role in it/,
    ],
    ['too many roles', { ...request, appRoles: long }, 'ERR_USAGE', /IAM allows 6144: .*--app-role-path/],
    [
      'too many nodes',
      { ...request, nodeRoles: long },
      'ERR_USAGE',
      /IAM allows 2048: give fewer --node-role/,
    ],
  ];
  for (const [what, asked, code, says] of cases) {
    it(`refuses ${what}`, () => {
      assert.throws(() => planIam(asked), { code, message: says });
    });
  }
});
