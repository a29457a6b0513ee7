import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { targetNames } from './target-names.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'hostile-input.md'), 'utf8');
/** The last column of each table, and the sentence about the sandbox. */
const named = new Set(
  page
    .split('\n')
    .map((line) =>
      line.startsWith('|') ? (line.split('|').at(-2) ?? '') : line.startsWith('The sandbox') ? line : '',
    )
    .flatMap((text) => Array.from(text.matchAll(/`([\w-]+)`/g), ([, name = '']) => name)),
);

describe('the targets that docs/hostile-input.md names', () => {
  it('are all that there are', () => {
    assert.deepEqual([...named].sort(), targetNames());
  });
});
