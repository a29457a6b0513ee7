import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JWTPayload } from 'jose';
import { fromPayload, type TokenClaims, toPayload } from './token-claims.ts';

const claims: TokenClaims = {
  namespace: 'shop',
  serviceAccount: { name: 'robot', uid: 'sa-uid' },
  pod: { name: 'web', uid: 'pod-uid' },
  node: { name: 'node-1', uid: 'node-uid' },
  audiences: ['sts.amazonaws.com'],
  issuedAt: 100,
  expiresAt: 3_700,
  id: 'token-id',
};

describe('the claims of a service-account token', () => {
  it('are those of an API server since 1.30', () => {
    assert.deepEqual(toPayload('https://issuer', claims), {
      aud: ['sts.amazonaws.com'],
      exp: 3_700,
      iat: 100,
      iss: 'https://issuer',
      jti: 'token-id',
      'kubernetes.io': {
        namespace: 'shop',
        node: { name: 'node-1', uid: 'node-uid' },
        pod: { name: 'web', uid: 'pod-uid' },
        serviceaccount: { name: 'robot', uid: 'sa-uid' },
      },
      nbf: 100,
      sub: 'system:serviceaccount:shop:robot',
    });
  });

  it('are read back as they were written, with and without a pod', () => {
    assert.deepEqual(fromPayload(toPayload('i', claims)), claims);
    const { pod: _, node: __, ...unbound } = claims;
    assert.deepEqual(fromPayload(toPayload('i', unbound)), unbound);
  });

  it('may have one audience as a text', () => {
    assert.deepEqual(fromPayload({ ...toPayload('i', claims), aud: 'one' })?.audiences, ['one']);
  });

  const payload = toPayload('i', claims);
  const foreign: [string, JWTPayload][] = [
    ['no kubernetes.io', { ...payload, 'kubernetes.io': undefined }],
    ['kubernetes.io as a text', { ...payload, 'kubernetes.io': 'shop' }],
    ['no namespace', { ...payload, 'kubernetes.io': { serviceaccount: claims.serviceAccount } }],
    ['no service account', { ...payload, 'kubernetes.io': { namespace: 'shop' } }],
    ['another subject', { ...payload, sub: 'system:serviceaccount:shop:other' }],
  ];
  for (const [what, one] of foreign) {
    it(`are not there in a payload with ${what}`, () => assert.equal(fromPayload(one), undefined));
  }

  for (const field of ['exp', 'iat', 'jti']) {
    it(`are not there without ${field}`, () => {
      const { [field]: _, ...rest } = payload;
      assert.equal(fromPayload(rest), undefined);
    });
  }
});
