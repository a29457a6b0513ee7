import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hclText, hclValue } from './hcl.ts';

describe('hclText', () => {
  const cases: readonly (readonly [text: string, written: string])[] = [
    ['plain', '"plain"'],
    ['a"b\\c\n', String.raw`"a\"b\\c\n"`],
    [`\${x}`, `"$\${x}"`],
    ['%{if}', '"%%{if}"'],
    ['$$%', '"$$%"'],
  ];
  for (const [text, written] of cases) {
    it(`writes ${JSON.stringify(text)} as ${written}`, () => {
      assert.equal(hclText(text), written);
    });
  }
});

describe('hclValue', () => {
  it('puts expressions in the place of whole texts only', () => {
    const expressions = new Map([['<id>', 'var.id']]);
    const written = hclValue({ a: ['<id>', 'x<id>'] }, expressions, '');
    assert.equal(written, '{\n  "a" : [\n    var.id,\n    "x<id>",\n  ],\n}');
  });
});
