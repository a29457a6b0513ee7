import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { detectRoleBaseArn } from './base-arn.ts';

const never = new AbortController().signal;

function isMetadataError(thrown: unknown): boolean {
  return thrown instanceof PodpassError && thrown.code === 'ERR_METADATA_SERVICE';
}

/** A metadata service that has just this one document. */
function only(path: string, text: string) {
  return {
    async read(asked: string) {
      assert.equal(asked, path);
      return text;
    },
  };
}

describe('detectRoleBaseArn', () => {
  const found: [string, string][] = [
    ['arn:aws:iam::123456789012:instance-profile/nodes', 'arn:aws:iam::123456789012:role/'],
    ['arn:aws-cn:iam::123456789012:instance-profile/nodes', 'arn:aws-cn:iam::123456789012:role/'],
    ['arn:aws-us-gov:iam::123456789012:instance-profile/nodes', 'arn:aws-us-gov:iam::123456789012:role/'],
    // kiam too: the path of the profile is not that of the roles.
    ['arn:aws:iam::123456789012:instance-profile/team/nodes', 'arn:aws:iam::123456789012:role/'],
  ];
  for (const [InstanceProfileArn, expected] of found) {
    it(`makes ${expected} of ${InstanceProfileArn}`, async () => {
      const info = JSON.stringify({ Code: 'Success', InstanceProfileArn, InstanceProfileId: 'AIPA' });
      assert.equal(await detectRoleBaseArn(only('iam/info', info), never), expected);
    });
  }

  const useless = [
    '',
    'null',
    '[]',
    '{"Code":"Success"}',
    '{"InstanceProfileArn":7}',
    '{"InstanceProfileArn":"arn:aws:iam::1:instance-profile/x"}',
    '{"InstanceProfileArn":"arn:aws:iam::123456789012:role/x"}',
    '<html>',
  ];
  for (const info of useless) {
    it(`says what to do when the service answers '${info}'`, async () => {
      await assert.rejects(detectRoleBaseArn(only('iam/info', info), never), (thrown) => {
        assert.ok(isMetadataError(thrown));
        assert.match(String(thrown), /--role-base-arn/);
        return true;
      });
    });
  }
});
