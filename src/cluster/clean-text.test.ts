import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cleanText } from './clean-text.ts';

describe('text made fit for a message', () => {
  it('is at most as long as asked, in bytes, well formed, and of one line', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.integer({ min: 1, max: 50 }),
        (text, maxBytes) => {
          const clean = cleanText(text, maxBytes);
          assert.ok(Buffer.byteLength(clean) <= maxBytes);
          assert.ok(clean.isWellFormed());
          assert.doesNotMatch(clean, /[\p{Cc}\p{Zl}\p{Zp}]/u);
        },
      ),
    );
  });

  it('keeps what needs no cleaning', () => {
    assert.equal(cleanText('pods "web-0" not found — Grüße 🌍', 100), 'pods "web-0" not found — Grüße 🌍');
  });

  const cases: [string, number, string][] = [
    ['line one\r\nline two', 100, 'line one line two'],
    ['\u001b[31mred\u001b[0m', 100, '[31mred [0m'],
    ['evil\u202egnp.exe', 100, 'evil gnp.exe'],
    ['  around  ', 100, 'around'],
    ['äää', 4, 'ää'],
    ['äää', 5, 'ää'],
    ['a🌍', 4, 'a'],
    ['a\ud83c', 10, 'a\ufffd'],
  ];
  for (const [text, maxBytes, expected] of cases) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(text)} within ${maxBytes} bytes`, () => {
      assert.equal(cleanText(text, maxBytes), expected);
    });
  }
});
