import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import { findRegion } from './find-region.ts';

describe('findRegion', () => {
  let asked = 0;
  function find(env: Readonly<Record<string, string>>, region?: string, given?: string) {
    asked = 0;
    return findRegion({
      given,
      env,
      logger: createSilentLogger(),
      signal: new AbortController().signal,
      metadata: {
        read: async () => {
          asked += 1;
          if (region === undefined) throw new PodpassError('ERR_METADATA_SERVICE', 'nobody there');
          return region;
        },
      },
    });
  }

  it('takes the flag, the variables of AWS, then the instance', async () => {
    const both = { AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-2' };
    assert.equal(await find(both, 'us-east-2', 'ap-south-1'), 'ap-south-1');
    assert.equal(await find(both, 'us-east-2'), 'eu-west-1');
    // The chart of kube2iam sets this one alone, and templates leave others empty.
    assert.equal(await find({ AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-west-2' }, 'us-east-2'), 'eu-west-2');
    assert.equal(asked, 0);
    assert.equal(await find({}, 'us-east-2'), 'us-east-2');
  });

  it('does without one outside of EC2', async () => {
    assert.equal(await find({}), undefined);
    assert.equal(asked, 1);
    assert.equal(await find({ AWS_EC2_METADATA_DISABLED: 'true' }, 'us-east-2'), undefined);
    assert.equal(asked, 0);
  });
});
