import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { renderReference } from '../scripts/reference.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'reference');

describe('docs/reference', () => {
  const pages = renderReference();

  for (const [file, text] of Object.entries(pages)) {
    it(`${file} says what the code says (npm run generate writes it)`, () => {
      assert.equal(readFileSync(join(folder, file), 'utf8'), text);
    });
  }

  it('has no page that nothing writes', () => {
    assert.deepEqual(readdirSync(folder).sort(), Object.keys(pages).sort());
  });
});
