import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCallerArn, roleBaseArnOf } from './caller-identity.ts';

describe('parseCallerArn', () => {
  const cases: [string, { account: string; partition: string; chained: boolean } | undefined][] = [
    [
      'arn:aws:sts::123456789012:assumed-role/podpass/i-0abc',
      { account: '123456789012', partition: 'aws', chained: true },
    ],
    [
      'arn:aws-cn:sts::123456789012:assumed-role/podpass/podpass-server',
      { account: '123456789012', partition: 'aws-cn', chained: true },
    ],
    [
      'arn:aws:iam::123456789012:user/team/podpass',
      { account: '123456789012', partition: 'aws', chained: false },
    ],
    ['arn:aws:iam::123456789012:root', { account: '123456789012', partition: 'aws', chained: false }],
    [
      'arn:aws-us-gov:sts::123456789012:federated-user/bob',
      { account: '123456789012', partition: 'aws-us-gov', chained: false },
    ],
    // A user may have any name: only what stands first tells what it is.
    [
      'arn:aws:iam::123456789012:user/assumed-role/x',
      { account: '123456789012', partition: 'aws', chained: false },
    ],
    ['arn:aws:iam::1234:user/podpass', undefined],
    ['arn:aws:s3:::bucket', undefined],
    ['', undefined],
  ];
  for (const [arn, expected] of cases) {
    it(`reads '${arn}'`, () => {
      assert.deepEqual(parseCallerArn(arn), expected && { arn, ...expected });
    });
  }
});

describe('roleBaseArnOf', () => {
  it('is of the partition and account, and ends in a slash', () => {
    assert.equal(
      roleBaseArnOf({ partition: 'aws-cn', account: '123456789012' }),
      'arn:aws-cn:iam::123456789012:role/',
    );
  });
});
