import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PodpassError } from '../base/errors.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import { createTokenSigner, deriveTokenKey, longestTokenTtl } from './session-token.ts';

const key = new Uint8Array(32).fill(1);
const otherKey = new Uint8Array(32).fill(2);
const uid = '6f1c1b1e-0000-4000-8000-000000000001';
const otherUid = '6f1c1b1e-0000-4000-8000-000000000002';

function setUp(keys: readonly Uint8Array[] = [key]) {
  const clock = createFakeClock();
  return { clock, signer: createTokenSigner({ keys, clock }) };
}

describe('session tokens', () => {
  it('are valid for the pod they were made for', () => {
    const { signer } = setUp();
    assert.equal(signer.verify(signer.sign(uid, 60), uid), 'valid');
  });

  it('are invalid for another pod', () => {
    const { signer } = setUp();
    assert.equal(signer.verify(signer.sign(uid, 60), otherUid), 'invalid');
    assert.equal(signer.verify(signer.sign(uid, 60), ''), 'invalid');
  });

  it('expire at the end of their life, and not before', async () => {
    const { clock, signer } = setUp();
    const token = signer.sign(uid, 60);
    assert.equal(signer.expiration(token), clock.now() + 60_000);
    await clock.advance(59_999);
    assert.equal(signer.verify(token, uid), 'valid');
    await clock.advance(1);
    assert.equal(signer.verify(token, uid), 'expired');
  });

  it('are expired for their own pod only; for others they are invalid as ever', async () => {
    const { clock, signer } = setUp();
    const token = signer.sign(uid, 1);
    await clock.advance(2_000);
    assert.equal(signer.verify(token, otherUid), 'invalid');
  });

  it('outlive the process that made them', () => {
    const { clock, signer } = setUp();
    const token = signer.sign(uid, longestTokenTtl);
    const restarted = createTokenSigner({ keys: [new Uint8Array(key)], clock });
    assert.equal(restarted.verify(token, uid), 'valid');
  });

  it('outlive a change of keys for as long as the old key is kept', () => {
    const { clock, signer } = setUp();
    const token = signer.sign(uid, 60);
    const both = createTokenSigner({ keys: [otherKey, key], clock });
    const onlyNew = createTokenSigner({ keys: [otherKey], clock });
    assert.equal(both.verify(token, uid), 'valid');
    assert.equal(onlyNew.verify(token, uid), 'invalid');
    assert.equal(onlyNew.verify(both.sign(uid, 60), uid), 'valid', 'the first key signs');
  });

  it('are 52 visible ASCII characters, whatever the UID and the time', () => {
    const { signer } = setUp();
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.integer({ min: 1, max: longestTokenTtl }),
        (anyUid, ttl) => {
          const token = signer.sign(anyUid, ttl);
          assert.match(token, /^[A-Za-z0-9_-]{52}$/);
          assert.equal(signer.verify(token, anyUid), 'valid');
        },
      ),
    );
  });

  it('are invalid with any one bit changed', () => {
    const { signer } = setUp();
    const bytes = Buffer.from(signer.sign(uid, 60), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.equal(signer.verify(changed.toString('base64url'), uid), 'invalid', `bit ${bit}`);
    }
  });

  it('are invalid in any other length or spelling', () => {
    const { signer } = setUp();
    const token = signer.sign(uid, 60);
    const others = ['', token.slice(1), `${token}=`, `${token}A`, ` ${token}`, `${token}\n`, '='.repeat(52)];
    for (const other of [...others, 'é'.repeat(52), 'A'.repeat(52), 'A'.repeat(100_000)]) {
      assert.equal(signer.verify(other, uid), 'invalid', other.slice(0, 60));
    }
  });

  it('are invalid if they are anything at all', () => {
    const { signer } = setUp();
    fc.assert(fc.property(fc.string(), (text) => assert.equal(signer.verify(text, uid), 'invalid')));
  });

  it('need a key that is long enough', () => {
    const clock = createFakeClock();
    for (const keys of [[], [new Uint8Array(31)], [key, new Uint8Array(0)]]) {
      assert.throws(
        () => createTokenSigner({ keys, clock }),
        (error) => error instanceof PodpassError && error.code === 'ERR_USAGE',
      );
    }
  });
});

describe('deriveTokenKey', () => {
  const secret = new TextEncoder().encode('-----BEGIN PRIVATE KEY-----');

  it('gives the same 32 bytes for the same secret, and others for another', () => {
    assert.equal(deriveTokenKey(secret).length, 32);
    assert.deepEqual(deriveTokenKey(secret), deriveTokenKey(Buffer.from(secret)));
    assert.notDeepEqual(deriveTokenKey(secret), deriveTokenKey(secret.subarray(1)));
  });

  it('never changes: tokens of an older version stay good', () => {
    assert.equal(
      Buffer.from(deriveTokenKey(secret)).toString('hex'),
      '126402b713b262937cde88d44937f6d1e74d6c12943561fb6cdd946b79e25a69',
    );
  });

  it('refuses an empty secret', () => {
    assert.throws(
      () => deriveTokenKey(new Uint8Array()),
      (error) => error instanceof PodpassError && error.code === 'ERR_USAGE',
    );
  });
});
