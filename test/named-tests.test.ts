import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs', 'kiam-defects.md'), 'utf8');
const named = Array.from(
  page.matchAll(/`([\w./-]+\.test\.ts)`(?:: "([^"]+)")?/g),
  ([, file = '', title]) => ({
    file,
    title,
  }),
);

describe('the tests that docs/kiam-defects.md names', () => {
  it('are named for every defect', () => {
    const [, defects = ''] = page.split(/^## /m);
    const rows = Array.from(defects.matchAll(/^\| (\d+) \|.*\.test\.ts/gm), ([, number]) => Number(number));
    assert.deepEqual(
      rows,
      Array.from({ length: 17 }, (_, index) => index + 1),
    );
  });

  for (const { file, title } of named) {
    it(`exist: ${file}: ${title ?? 'all of it'}`, () => {
      assert.ok(existsSync(join(root, file)), `there is no ${file}`);
      // The title may be part of one that is put together, but it is a title: it stands in quotes behind `it(`, or in
      // a table of cases, and never in a comment.
      const lines = readFileSync(join(root, file), 'utf8').split('\n');
      const code = lines.filter((line) => !/^\s*(\/\/|\*)/.test(line)).join('\n');
      assert.ok(
        title === undefined || code.replaceAll("\\'", "'").includes(title),
        `no test is called "${title}"`,
      );
    });
  }
});
