import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readStatusFailure } from './api-status.ts';

describe('a refusal of the API server', () => {
  it('is read from its Status object', () => {
    const body = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'pods is forbidden' };
    assert.deepEqual(readStatusFailure(body), {
      kind: 'status',
      status: 403,
      reason: 'Forbidden',
      message: 'pods is forbidden',
    });
  });

  it('takes the HTTP status before the one in the body', () => {
    assert.equal(readStatusFailure({ code: 500 }, 503).status, 503);
  });

  const patience: [string, unknown, string | undefined, number | undefined][] = [
    ['the header', {}, '5', 5_000],
    ['the body', { details: { retryAfterSeconds: 2 } }, undefined, 2_000],
    ['the header before the body', { details: { retryAfterSeconds: 2 } }, '4', 4_000],
    ['no more than two minutes', {}, '86400', 120_000],
    ['nothing from a date', {}, 'Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['nothing from a negative number', {}, '-1', undefined],
    ['nothing from text in the body', { details: { retryAfterSeconds: '2' } }, undefined, undefined],
  ];
  for (const [what, body, header, expected] of patience) {
    it(`takes its patience from ${what}`, () => {
      assert.equal(readStatusFailure(body, 429, header).retryAfterMillis, expected);
    });
  }

  it('has a message even where nothing of use was sent', () => {
    for (const body of [undefined, null, 'gateway timeout', [], { message: 7 }, { message: '\n' }]) {
      assert.deepEqual(readStatusFailure(body, 502), {
        kind: 'status',
        status: 502,
        reason: '',
        message: 'HTTP status 502',
      });
    }
  });

  it('has a message of one bounded line', () => {
    const { message } = readStatusFailure({ message: `a\u0000b\n${'x'.repeat(5_000)}` }, 500);
    assert.match(message, /^a b x+$/);
    assert.equal(message.length, 1_024);
  });
});
