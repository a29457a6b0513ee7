import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createJsonLineReader } from './json-lines.ts';

describe('the reader of JSON lines', () => {
  it('gives the same objects however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        fc.array(fc.nat(40), { minLength: 1 }),
        (values, cuts) => {
          const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
          const reader = createJsonLineReader(1_000_000);
          const read: unknown[] = [];
          let at = 0;
          for (let turn = 0; at < bytes.length; turn += 1) {
            const size = 1 + (cuts[turn % cuts.length] ?? 0);
            const { objects, fault } = reader.push(bytes.subarray(at, at + size));
            assert.equal(fault, undefined);
            read.push(...objects);
            at += size;
          }
          assert.deepEqual(read, JSON.parse(JSON.stringify(values)));
          assert.equal(reader.partial, false);
        },
      ),
    );
  });

  it('keeps characters whole that are cut in the middle', () => {
    const bytes = Buffer.from('"Grüße 🌍"\n');
    const reader = createJsonLineReader(100);
    const read = [...bytes].flatMap((byte) => reader.push(Buffer.from([byte])).objects);
    assert.deepEqual(read, ['Grüße 🌍']);
  });

  it('skips empty lines, with or without a carriage return', () => {
    const { objects } = createJsonLineReader(100).push(Buffer.from('\n\r\n1\r\n\n2\n'));
    assert.deepEqual(objects, [1, 2]);
  });

  it('gives what came before a line that is not JSON, and nothing after it', () => {
    const reader = createJsonLineReader(100);
    assert.deepEqual(reader.push(Buffer.from('1\n{oops\n2\n')), { objects: [1], fault: 'malformed' });
    assert.deepEqual(reader.push(Buffer.from('3\n')), { objects: [], fault: 'malformed' });
  });

  it('takes a line of just the longest length and refuses one byte more', () => {
    const text = JSON.stringify('x'.repeat(8));
    assert.deepEqual(createJsonLineReader(10).push(Buffer.from(`${text}\n`)), { objects: ['x'.repeat(8)] });
    assert.equal(createJsonLineReader(9).push(Buffer.from(`${text}\n`)).fault, 'oversized');
  });

  it('refuses a line that is too long before it has ended, and holds nothing of it', () => {
    const reader = createJsonLineReader(10);
    assert.equal(reader.push(Buffer.from('"123456')).fault, undefined);
    assert.equal(reader.partial, true);
    assert.equal(reader.push(Buffer.from('7890')).fault, 'oversized');
    assert.equal(reader.partial, false);
  });

  it('counts what is held of a line that ends in a later chunk', () => {
    const reader = createJsonLineReader(10);
    reader.push(Buffer.from('"12345678'));
    assert.equal(reader.push(Buffer.from('90"\n')).fault, 'oversized');
  });
});
