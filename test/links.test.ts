import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..');
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root });

describe('links between pages', () => {
  assert.ok(pages.includes('README.md') && pages.length > 8);
  for (const page of pages) {
    it(`of ${page} lead somewhere`, () => {
      const text = readFileSync(join(root, page), 'utf8');
      const targets = Array.from(text.matchAll(/\]\(([^)#\s]+)/g), ([, target = '']) => target);
      const missing = targets
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(join(root, dirname(page), target)));
      assert.deepEqual(missing, []);
    });
  }
});
