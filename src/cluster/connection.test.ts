import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeFailure } from './connection.ts';

describe('a failure in words', () => {
  it('has the status, the reason and the message', () => {
    const failure = {
      kind: 'status',
      status: 403,
      reason: 'Forbidden',
      message: 'pods is forbidden',
    } as const;
    assert.equal(describeFailure(failure), '403 Forbidden: pods is forbidden');
    assert.equal(describeFailure({ ...failure, reason: '' }), '403: pods is forbidden');
  });

  it('is the message where there was no answer of use', () => {
    assert.equal(describeFailure({ kind: 'unreachable', message: 'no answer' }), 'no answer');
    assert.equal(describeFailure({ kind: 'oversized', message: 'too large' }), 'too large');
  });
});
