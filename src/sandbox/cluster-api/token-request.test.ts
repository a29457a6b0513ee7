import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from './json.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { parseTokenRequest } from './token-request.ts';

describe('TokenRequest', () => {
  it('asks for an hour and the API’s own audience unless it says more', () => {
    const plain = { audiences: [], expirationSeconds: 3_600 };
    for (const body of [
      {},
      { spec: {} },
      { spec: { audiences: null, expirationSeconds: null, boundObjectRef: null } },
    ]) {
      assert.deepEqual(accepted(parseTokenRequest(body)), plain);
    }
  });

  it('says for whom, for how long and for which pod', () => {
    const spec = {
      audiences: ['sts.amazonaws.com', 'podpass'],
      expirationSeconds: 600,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: 'u' },
    };
    assert.deepEqual(accepted(parseTokenRequest({ spec })), {
      audiences: ['sts.amazonaws.com', 'podpass'],
      expirationSeconds: 600,
      boundPod: { name: 'web', uid: 'u' },
    });
  });

  const wrong: [string, Json, number][] = [
    ['no object', null, 400],
    ['audiences that are a text', { spec: { audiences: 'sts.amazonaws.com' } }, 400],
    ['an audience that is a number', { spec: { audiences: [1] } }, 400],
    ['less than ten minutes', { spec: { expirationSeconds: 599 } }, 422],
    ['more than 136 years', { spec: { expirationSeconds: 2 ** 32 + 1 } }, 422],
    ['half a second', { spec: { expirationSeconds: 900.5 } }, 400],
    ['a duration that is a text', { spec: { expirationSeconds: '900' } }, 400],
    [
      'a secret to be bound to',
      { spec: { boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 's' } } },
      400,
    ],
    [
      'a pod of another group',
      { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'x/v1', name: 's' } } },
      400,
    ],
  ];
  for (const [what, body, code] of wrong) {
    it(`is refused with ${what}`, () => {
      refusal(parseTokenRequest(body), code);
    });
  }
});
