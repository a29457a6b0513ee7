import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accountOfArn, assumedRoleArn, parseRoleArn } from './arn.ts';

describe('parseRoleArn', () => {
  const good: readonly (readonly [arn: string, parts: readonly [string, string, string, string]])[] = [
    ['arn:aws:iam::123456789012:role/reader', ['aws', '123456789012', '/', 'reader']],
    ['arn:aws:iam::123456789012:role/team/a.b/reader', ['aws', '123456789012', '/team/a.b/', 'reader']],
    ['arn:aws-cn:iam::123456789012:role/r', ['aws-cn', '123456789012', '/', 'r']],
    ['arn:aws-us-gov:iam::123456789012:role/a_b+=,.@-', ['aws-us-gov', '123456789012', '/', 'a_b+=,.@-']],
  ];
  for (const [arn, [partition, account, path, name]] of good) {
    it(`reads ${arn}`, () => {
      assert.deepEqual(parseRoleArn(arn), { arn, partition, account, path, name });
    });
  }

  const bad = [
    '',
    'reader',
    'arn:aws:iam::12345678901:role/reader',
    'arn:aws:iam::123456789012:role/',
    'arn:aws:iam::123456789012:role',
    'arn:aws:iam::123456789012:role/a b',
    'arn:aws:iam::123456789012:role//reader ',
    'arn:aws:iam::123456789012:role/team/',
    'arn:aws:iam::123456789012:user/reader',
    'arn:aws:sts::123456789012:assumed-role/reader/x',
    'arn:aws:iam:eu-west-1:123456789012:role/reader',
    'arn:gcp:iam::123456789012:role/reader',
    `arn:aws:iam::123456789012:role/${'a'.repeat(65)}`,
    `arn:aws:iam::123456789012:role/${'a'.repeat(600)}/b`,
    'arn:aws:iam::123456789012:role/reader\n',
  ];
  for (const arn of bad) {
    it(`does not take ${JSON.stringify(arn).slice(0, 70)} for one`, () => {
      assert.equal(parseRoleArn(arn), undefined);
    });
  }
});

describe('assumedRoleArn', () => {
  it('leaves the path out', () => {
    const role = parseRoleArn('arn:aws-cn:iam::123456789012:role/team/reader');
    assert.ok(role);
    assert.equal(assumedRoleArn(role, 's-1'), 'arn:aws-cn:sts::123456789012:assumed-role/reader/s-1');
  });
});

describe('accountOfArn', () => {
  it('reads the fifth field, if there is one', () => {
    assert.equal(accountOfArn('arn:aws:iam::123456789012:root'), '123456789012');
    assert.equal(accountOfArn('arn:aws'), '');
  });
});
