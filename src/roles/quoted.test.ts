import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defused, quoted } from './quoted.ts';

const unit = fc.string({ unit: 'binary', maxLength: 400 });

describe('quoted', () => {
  it('shows ordinary text as it is, between quotation marks', () => {
    assert.equal(quoted('team/reader'), '"team/reader"');
    assert.equal(quoted('日本 語'), '"日本 語"');
  });

  it('escapes what a terminal or a log viewer would act on', () => {
    assert.equal(quoted('a\nb\tc'), '"a\\u{a}b\\u{9}c"');
    assert.equal(quoted('\x1b[31mred'), '"\\u{1b}[31mred"');
    assert.equal(
      quoted('a\u202eb\u200bc\u2028d'),
      '"a\\u{202e}b\\u{200b}c\\u{2028}d"',
      'bidi, zero width, line end',
    );
    assert.equal(quoted('a\u00a0b'), '"a\\u{a0}b"', 'a space that does not look like one');
    assert.equal(quoted('\ud800'), '"\\u{d800}"', 'half a character');
  });

  it('cannot be ended by the text', () => {
    assert.equal(quoted('a" and "b\\'), '"a\\" and \\"b\\\\"');
  });

  it('cuts long text and says how long it was', () => {
    assert.equal(quoted('x'.repeat(256_000)), `"${'x'.repeat(160)}"... (256000 characters)`);
    assert.match(quoted(`${'x'.repeat(159)}😀`), /x\\u\{d83d\}"\.\.\. \(161 characters\)$/);
  });

  it('is short, on one line and well formed, whatever the text', () => {
    fc.assert(
      fc.property(unit, (text) => {
        for (const shown of [quoted(text), defused(text)]) {
          assert.ok(shown.length <= 160 * 10 + 40);
          assert.doesNotMatch(shown, /[\p{C}\p{Zl}\p{Zp}]/u);
          assert.ok(shown.isWellFormed());
        }
      }),
    );
  });

  it('is different for different texts that are not cut', () => {
    const short = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(fc.property(short, short, (a, b) => assert.equal(quoted(a) === quoted(b), a === b)));
  });
});

describe('defused', () => {
  it('leaves quotation marks and backslashes alone', () => {
    assert.equal(
      defused('invalid escape sequence: `\\1` in "x"\n'),
      'invalid escape sequence: `\\1` in "x"\\u{a}',
    );
  });

  it('cuts long text', () => {
    assert.equal(defused('y'.repeat(161)), `${'y'.repeat(160)}...`);
  });
});
