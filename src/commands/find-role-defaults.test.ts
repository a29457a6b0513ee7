import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { findRoleDefaults, type RoleDefaultsOptions } from './find-role-defaults.ts';

const base = 'arn:aws:iam::123456789012:role/';
const instance: Readonly<Record<string, string>> = {
  'iam/info': JSON.stringify({ InstanceProfileArn: 'arn:aws-cn:iam::210987654321:instance-profile/p/node' }),
  'iam/security-credentials/': 'node-role',
};

function find(given: Partial<RoleDefaultsOptions>, answers = instance) {
  return findRoleDefaults({
    baseRoleArn: undefined,
    autoDiscoverBaseArn: false,
    defaultRole: undefined,
    autoDiscoverDefaultRole: false,
    signal: new AbortController().signal,
    metadata: {
      read: async (path) => {
        const answer = answers[path];
        if (answer === undefined) throw new PodpassError('ERR_METADATA_SERVICE', `no ${path}`);
        return answer;
      },
    },
    ...given,
  });
}

describe('findRoleDefaults', () => {
  it('asks the instance for nothing that is not to be discovered', async () => {
    assert.deepEqual(await find({}, {}), {});
    assert.deepEqual(await find({ baseRoleArn: base.slice(0, -1), defaultRole: 'x' }, {}), {
      baseArn: base,
      defaultRole: 'x',
    });
  });

  it('discovers the base ARN, without the path of the profile', async () => {
    assert.deepEqual(await find({ autoDiscoverBaseArn: true, defaultRole: 'x' }), {
      baseArn: 'arn:aws-cn:iam::210987654321:role/',
      defaultRole: 'x',
    });
  });

  it('discovers the base ARN with the default role, which wins over one that is given', async () => {
    const discovered = { baseArn: 'arn:aws-cn:iam::210987654321:role/', defaultRole: 'node-role' };
    assert.deepEqual(await find({ autoDiscoverDefaultRole: true, baseRoleArn: base }), discovered);
    assert.deepEqual(await find({ autoDiscoverDefaultRole: true, autoDiscoverBaseArn: true }), discovered);
  });

  it('fails when the instance cannot tell, or tells something else', async () => {
    const failed = { code: 'ERR_METADATA_SERVICE' };
    await assert.rejects(find({ autoDiscoverBaseArn: true }, {}), failed);
    for (const role of ['', '<html>', 'a/b']) {
      const answers = { ...instance, 'iam/security-credentials/': role };
      await assert.rejects(find({ autoDiscoverDefaultRole: true }, answers), failed);
    }
  });

  it('says what is wrong with a base ARN', async () => {
    for (const baseRoleArn of ['123456789012', 'ARN:aws:iam::123456789012:role/', 'arn:aws:iam::1:user/x']) {
      await assert.rejects(find({ baseRoleArn }), {
        code: 'ERR_ROLE_ARN',
        message: /^Invalid --base-role-arn specified/,
      });
    }
  });
});
