import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contentTypeFor, headersForClient, headersForUpstream } from './passed-headers.ts';

describe('headersForUpstream', () => {
  const cases: [string, readonly string[], Record<string, string>][] = [
    ['nothing', [], {}],
    [
      'what chooses among answers',
      ['RANGE', 'bytes=0-1', 'accept', '*/*'],
      { Range: 'bytes=0-1', Accept: '*/*' },
    ],
    [
      'nothing that is about the connection, the caller or another server',
      [
        'TE',
        'trailers',
        'Upgrade',
        'h2c',
        'Keep-Alive',
        '1',
        'Proxy-Authorization',
        'x',
        'Cookie',
        'a',
        'Host',
        'b',
      ],
      {},
    ],
    [
      'nothing that Connection names',
      ['Connection', 'close, if-none-match', 'If-None-Match', '"1"', 'If-Match', '*'],
      { 'If-Match': '*' },
    ],
    [
      'nothing that a second Connection names',
      ['Range', 'bytes=0-1', 'Connection', 'close', 'connection', ' RANGE'],
      {},
    ],
    ['nothing that stands twice', ['Range', 'bytes=0-1', 'range', 'bytes=2-3', 'Range', 'bytes=4-5'], {}],
    ['nothing that is long', ['If-None-Match', '"'.repeat(513)], {}],
    ['nothing beyond ASCII', ['If-None-Match', '"\u00ff"'], {}],
    ['no token and no forwarding', ['X-aws-ec2-metadata-token', 'x', 'X-Forwarded-For', '10.0.0.1'], {}],
  ];
  for (const [what, raw, passed] of cases) {
    it(`passes on ${what}`, () => assert.deepEqual(headersForUpstream(raw), passed));
  }
});

describe('headersForClient', () => {
  it('passes on what describes the body, and nothing else', () => {
    const headers = {
      etag: '"1"',
      'content-range': 'bytes 0-1/2',
      'set-cookie': ['a=b'],
      location: 'http://elsewhere/',
      'alt-svc': 'h3=":443"',
      'transfer-encoding': 'chunked',
      'content-length': '5',
      server: 'other',
    };
    assert.deepEqual(headersForClient(headers), ['ETag', '"1"', 'Content-Range', 'bytes 0-1/2']);
  });

  it('leaves out what Connection names, and what cannot stand in a header', () => {
    const headers = {
      connection: 'ETag',
      etag: '"1"',
      'last-modified': 'a\u0001',
      'retry-after': '1'.repeat(600),
    };
    assert.deepEqual(headersForClient(headers), []);
  });

  it('has a content type, whatever the service says', () => {
    assert.equal(contentTypeFor({ 'content-type': 'text/x' }, 'text/plain'), 'text/x');
    assert.equal(contentTypeFor({}, 'text/plain'), 'text/plain');
    assert.equal(
      contentTypeFor({ 'content-type': 'a'.repeat(600) }, 'text/plain'),
      'application/octet-stream',
    );
  });
});
