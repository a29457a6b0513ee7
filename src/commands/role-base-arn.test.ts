import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findRoleBaseArn } from './role-base-arn.ts';

describe('findRoleBaseArn', () => {
  const signal = new AbortController().signal;
  const metadata = {
    read: async () =>
      JSON.stringify({ InstanceProfileArn: 'arn:aws-cn:iam::210987654321:instance-profile/p/node' }),
  };
  const find = (roleBaseArn: string | undefined, roleBaseArnAutodetect = false) =>
    findRoleBaseArn({ roleBaseArn, roleBaseArnAutodetect, metadata, signal });

  it('takes the flag, with or without the slash at its end', async () => {
    assert.equal(await find('arn:aws:iam::123456789012:role/'), 'arn:aws:iam::123456789012:role/');
    assert.equal(await find('arn:aws:iam::123456789012:role/team'), 'arn:aws:iam::123456789012:role/team/');
  });

  it('prefers what the instance says, if asked to', async () => {
    assert.equal(await find('arn:aws:iam::123456789012:role/', true), 'arn:aws-cn:iam::210987654321:role/');
  });

  it('says what to give when nothing is given, and what is wrong when it is no ARN', async () => {
    await assert.rejects(find(undefined), {
      code: 'ERR_USAGE',
      message: /--role-base-arn=arn:aws:iam::ACCOUNT:role\//,
    });
    await assert.rejects(find('123456789012'), {
      code: 'ERR_ROLE_ARN',
      message: /--role-base-arn: .*123456789012/,
    });
  });
});
