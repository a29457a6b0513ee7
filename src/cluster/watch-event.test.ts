import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readWatchEvent } from './watch-event.ts';

describe('a line of a watch', () => {
  for (const type of ['ADDED', 'MODIFIED', 'DELETED'] as const) {
    it(`of type ${type} is a change with its version`, () => {
      const object = { metadata: { resourceVersion: '7' } };
      assert.deepEqual(readWatchEvent({ type, object }), {
        kind: 'change',
        type,
        object,
        resourceVersion: '7',
      });
    });
  }

  it('is a bookmark, which may end a streamed list', () => {
    const object = { metadata: { resourceVersion: '7' } };
    assert.deepEqual(readWatchEvent({ type: 'BOOKMARK', object }), {
      kind: 'bookmark',
      resourceVersion: '7',
      endsInitialEvents: false,
    });
    const last = { metadata: { resourceVersion: '7', annotations: { 'k8s.io/initial-events-end': 'true' } } };
    assert.deepEqual(readWatchEvent({ type: 'BOOKMARK', object: last }), {
      kind: 'bookmark',
      resourceVersion: '7',
      endsInitialEvents: true,
    });
  });

  it('is an error with the code, reason and patience that its Status has', () => {
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old\nresource version' };
    assert.deepEqual(
      readWatchEvent({ type: 'ERROR', object: { ...object, details: { retryAfterSeconds: 3 } } }),
      {
        kind: 'error',
        failure: {
          kind: 'status',
          status: 410,
          reason: 'Expired',
          message: 'too old resource version',
          retryAfterMillis: 3_000,
        },
      },
    );
  });

  it('is unknown when it is anything else, and never throws', () => {
    for (const line of [undefined, null, 1, 'ADDED', [], {}, { type: 'added' }, { type: ['ADDED'] }]) {
      assert.deepEqual(readWatchEvent(line), { kind: 'unknown' });
    }
    fc.assert(
      fc.property(fc.constantFrom('ADDED', 'BOOKMARK', 'ERROR', 'x'), fc.jsonValue(), (type, object) => {
        assert.ok(readWatchEvent({ type, object }).kind);
      }),
    );
  });
});
