import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { detectRegion, isRegionName } from './region.ts';

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

describe('detectRegion', () => {
  it('is what the service names', async () => {
    assert.equal(await detectRegion(only('placement/region', 'us-gov-east-1'), never), 'us-gov-east-1');
  });

  it('says what to do when the service names none', async () => {
    await assert.rejects(detectRegion(only('placement/region', '<html>'), never), (thrown) => {
      assert.ok(isMetadataError(thrown));
      assert.match(String(thrown), /--region/);
      return true;
    });
  });
});

describe('isRegionName', () => {
  const cases: [string, boolean][] = [
    ['eu-west-1', true],
    ['ap-southeast-7', true],
    ['us-gov-west-1', true],
    ['us-iso-east-1', true],
    ['us-isob-east-1', true],
    ['cn-north-1', true],
    ['mx-central-1', true],
    ['eusc-de-east-1', true],
    ['eu-west-1a', false],
    ['eu-west', false],
    ['EU-WEST-1', false],
    ['eu-west-1.evil.example', false],
    ['', false],
  ];
  for (const [text, expected] of cases) {
    it(`${expected ? 'takes' : 'does not take'} '${text}'`, () => assert.equal(isRegionName(text), expected));
  }
});
