import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';

describe('parseListenAddress', () => {
  const cases: [string, ListenAddress][] = [
    ['0.0.0.0:9620', { host: '0.0.0.0', port: 9620 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    [':9620', { port: 9620 }],
    ['[::1]:9620', { host: '::1', port: 9620 }],
  ];
  for (const [text, address] of cases) {
    it(`reads ${text}`, () => assert.deepEqual(parseListenAddress('bind', text), address));
  }

  for (const text of ['', '9620', 'localhost', 'localhost:', 'a:b', '::1:80', 'localhost:65536', '[::1]']) {
    it(`refuses ${JSON.stringify(text)} and names the flag`, () => {
      assert.throws(() => parseListenAddress('bind', text), {
        code: 'ERR_USAGE',
        message: /--bind .*HOST:PORT/,
      });
    });
  }
});
