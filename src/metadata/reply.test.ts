import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createErrorReply, createReply, createTextReply, json, plainText, type Reply } from './reply.ts';

function headersOf({ headers }: Reply): Map<string, string> {
  const pairs = Array.from({ length: headers.length / 2 }, (_, i): [string, string] => [
    headers[2 * i] ?? '',
    headers[2 * i + 1] ?? '',
  ]);
  return new Map(pairs);
}

describe('replies', () => {
  it('say what they are, how long they are, and that nobody keeps them', () => {
    const reply = createReply(200, json, '{}');
    assert.equal(reply.status, 200);
    assert.deepEqual(Object.fromEntries(headersOf(reply)), {
      Server: 'EC2ws',
      'Content-Type': 'application/json',
      'Content-Length': '2',
      'Cache-Control': 'no-store',
    });
  });

  it('count bytes, not characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (body) => {
        const length = headersOf(createReply(200, plainText, body)).get('Content-Length');
        assert.equal(length, String(Buffer.from(body).length));
      }),
    );
    assert.equal(headersOf(createReply(200, plainText, new Uint8Array(5))).get('Content-Length'), '5');
  });

  it('take further headers, and may be the last of their connection', () => {
    const reply = createReply(503, plainText, '', { extra: ['Retry-After', '1'], closes: true });
    assert.equal(headersOf(reply).get('Retry-After'), '1');
    assert.equal(reply.closes, true);
    assert.equal(createReply(200, plainText, '').closes, false);
  });

  it('end errors in text with a line feed', () => {
    assert.equal(createTextReply(404, 'no such metadata.').body, 'no such metadata.\n');
  });

  it('spell errors in JSON for every SDK', () => {
    const reply = createErrorReply(403, { code: 'AccessDenied', message: 'said "no"\n' });
    assert.deepEqual(JSON.parse(String(reply.body)), {
      Code: 'AccessDenied',
      Message: 'said "no"\n',
      code: 'AccessDenied',
      message: 'said "no"\n',
    });
    assert.equal(headersOf(reply).get('Content-Type'), 'application/json');
  });
});
