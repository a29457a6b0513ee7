import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { mediaType, parseBody, readBody } from './request-body.ts';
import { accepted, refusal } from './testing/outcomes.ts';

describe('the body of a request', () => {
  it('is JSON, or YAML where its type says so', () => {
    const value = { kind: 'Pod', metadata: { name: 'web' } };
    const yaml = 'kind: Pod\nmetadata: {name: web}\n';
    assert.deepEqual(accepted(parseBody(JSON.stringify(value), 'application/json')), value);
    assert.deepEqual(accepted(parseBody(JSON.stringify(value), '')), value);
    assert.deepEqual(
      accepted(parseBody(JSON.stringify([value]), 'application/json-patch+json; charset=utf-8')),
      [value],
    );
    assert.deepEqual(accepted(parseBody(yaml, 'application/yaml')), value);
    assert.deepEqual(accepted(parseBody(yaml, 'application/apply-patch+yaml')), value);
    assert.deepEqual(accepted(parseBody(JSON.stringify(value), 'application/apply-patch+yaml')), value);
  });

  it('may be missing', () => {
    assert.equal(accepted(parseBody('', 'application/json')), null);
    assert.equal(accepted(parseBody(' \n', 'text/plain')), null);
  });

  const laughs = Array.from(
    { length: 9 },
    (_, i) => `${'bcdefghij'[i]}: &${'bcdefghij'[i]} [${`*${'abcdefghi'[i]},`.repeat(9)}]`,
  );
  const wrong: [string, string, string, number][] = [
    ['broken JSON', '{"a":', 'application/json', 400],
    ['broken YAML', 'a: [', 'application/yaml', 400],
    ['two YAML documents', 'a: 1\n---\nb: 2\n', 'application/yaml', 400],
    ['YAML that multiplies', `a: &a [x]\n${laughs.join('\n')}`, 'application/yaml', 400],
    ['a number without end', 'a: .inf', 'application/yaml', 400],
    ['JSON as deep as a well', '['.repeat(100_000) + ']'.repeat(100_000), 'application/json', 400],
    ['a key that is a prototype', '{"__proto__":{"a":1}}', 'application/json', 400],
    ['a type that it does not read', 'a=b', 'application/x-www-form-urlencoded', 415],
  ];
  for (const [what, text, type, code] of wrong) {
    it(`is refused as ${what}`, () => {
      refusal(parseBody(text, type), code);
    });
  }

  it('is read from however many pieces', async () => {
    const pieces = ['{"a"', ':"', 'ü'].map((text) => Buffer.from(text));
    const last = pieces.pop() ?? Buffer.of();
    // The two bytes of one character arrive apart.
    const stream = Readable.from([...pieces, last.subarray(0, 1), last.subarray(1), Buffer.from('"}')]);
    assert.deepEqual(accepted(await readBody(stream, 'application/json')), { a: 'ü' });
  });

  it('is refused beyond three megabytes', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    refusal(await readBody(Readable.from([chunk, chunk, chunk, Buffer.from(' ')]), 'application/json'), 413);
    assert.equal(accepted(await readBody(Readable.from([chunk, chunk, chunk]), 'application/json')), null);
  });

  it('has its type without parameters', () => {
    assert.equal(mediaType('Application/JSON; charset=utf-8'), 'application/json');
    assert.equal(mediaType(''), '');
  });
});
