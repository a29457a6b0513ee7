import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeToken } from './testing/make-token.ts';
import { tokenExpiry } from './token-expiry.ts';

describe('the end of a token', () => {
  it('is what it says itself', () => {
    assert.equal(tokenExpiry(makeToken({ exp: 1_800_000_000 })), 1_800_000_000_000);
  });

  const silent = ['', 'opaque', 'a.b.c', 'a.!!.c', `a.${'x'.repeat(9_000)}.c`];
  for (const token of [...silent, makeToken({}), makeToken({ exp: '7' }), makeToken(null), makeToken([7])]) {
    it(`is not known of ${token.slice(0, 60)}`, () => assert.equal(tokenExpiry(token), undefined));
  }
});
