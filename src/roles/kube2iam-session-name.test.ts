import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { kube2iamSessionName, sessionAddress } from './kube2iam-session-name.ts';

const account = 'arn:aws:iam::123456789012:role';

describe('kube2iamSessionName', () => {
  // What kube2iam's own function returned.
  const vectors = [
    ['1.2.3.4', `${account}/my-role`, '74445065-my-role'],
    ['10.0.0.1', `${account}/path/to/role-name`, 'debebe8d-role-name'],
    ['', `${account}/x`, '811c9dc5-x'],
  ] as const;
  for (const [address, roleArn, name] of vectors) {
    it(`is ${name} for ${roleArn} at "${address}"`, () =>
      assert.equal(kube2iamSessionName(address, roleArn), name));
  }

  it('is cut to what STS takes', () => {
    assert.equal(
      kube2iamSessionName('1.2.3.4', `${account}/${'r'.repeat(64)}`),
      `74445065-${'r'.repeat(55)}`,
    );
  });

  it('is one that STS takes, whatever the address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) =>
        assert.match(kube2iamSessionName(address, `${account}/a+b=c,d.e@f-g`), /^[\w+=,.@-]{2,64}$/),
      ),
    );
  });
});

describe('sessionAddress', () => {
  it('is the one at which kube2iam was asked', () => {
    assert.equal(sessionAddress([]), undefined);
    assert.equal(sessionAddress(['10.0.0.1', 'fd00::1']), '10.0.0.1');
    assert.equal(sessionAddress(['fd00::1', '10.0.0.1']), '10.0.0.1');
    assert.equal(sessionAddress(['fd00::1', 'fd00::2']), 'fd00::1');
  });
});
