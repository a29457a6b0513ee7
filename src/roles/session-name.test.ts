import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sessionName } from './session-name.ts';
import go from './session-name.vectors.json' with { type: 'json' };

describe('sessionName', () => {
  it('is what kiam makes of it, for each of the vectors that Go wrote', () => {
    assert.ok(go.vectors.length > 60);
    for (const { annotation, default: defaultName, name } of go.vectors) {
      assert.equal(sessionName(annotation, defaultName), name, JSON.stringify(annotation));
    }
  });

  it('takes the default where there is no annotation, or an empty one', () => {
    assert.equal(sessionName(undefined, 'kiam'), 'kiam-kiam');
    assert.equal(sessionName('', 'kiam'), 'kiam-kiam');
    assert.equal(sessionName('own', 'kiam'), 'kiam-own');
  });

  it('leaves 64 bytes alone and cuts 65 to 63', () => {
    assert.equal(sessionName('x'.repeat(59), 'kiam').length, 64);
    assert.equal(sessionName('x'.repeat(60), 'kiam').length, 63);
  });

  it('puts one dash for each byte left of a character that the cut goes through', () => {
    // 5 + 57 bytes are before the face, which has 4: one of them is within the 63.
    assert.equal(sessionName(`${'x'.repeat(57)}😀`, 'kiam'), `kiam-${'x'.repeat(57)}-`);
    assert.equal(sessionName(`${'x'.repeat(55)}😀y`, 'kiam'), `kiam-${'x'.repeat(55)}---`);
  });

  it('takes a half character for one, as Go does after reading JSON', () => {
    assert.equal(sessionName('a\ud800b', 'kiam'), 'kiam-a-b');
  });

  it('is always a RoleSessionName of at most 64 characters, whatever the annotation', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 90 }),
      fc.string({ unit: 'grapheme', maxLength: 90 }),
      fc
        .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 90 })
        .map((units) => String.fromCharCode(...units)),
    );
    fc.assert(
      fc.property(text, text, (annotation, defaultName) => {
        assert.match(sessionName(annotation, defaultName), /^kiam-[\w+=,.@-]{0,59}$/);
      }),
      { numRuns: 1_000 },
    );
  });

  it('equals a plain rendering of the rule on bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 90 }), (annotation) => {
        assert.equal(sessionName(annotation, 'kiam'), onBytes(annotation));
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not depend on what comes long after the cut', () => {
    const start = 'é'.repeat(64);
    assert.equal(sessionName(start + 'x'.repeat(256_000), 'kiam'), sessionName(`${start}x`, 'kiam'));
  });
});

/** Go's way, spelled out: cut bytes, decode, each invalid byte alone, replace. */
function onBytes(annotation: string): string {
  let bytes = Buffer.from(`kiam-${annotation}`);
  if (bytes.length > 64) bytes = bytes.subarray(0, 63);
  let name = '';
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] ?? 0;
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const whole = i + size <= bytes.length;
    name +=
      size === 1 && /[A-Za-z0-9_+=,.@-]/.test(String.fromCharCode(first)) ? String.fromCharCode(first) : '-';
    i += whole ? size : 1;
    // What is left of a character that was cut: its other bytes, each on its own.
    if (!whole) for (; i < bytes.length; i++) name += '-';
  }
  return name;
}
