import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..');

/** Pages, and how many numbered rows each of their sections has. */
const pages: readonly (readonly [file: string, rows: Readonly<Record<string, number>>])[] = [
  ['kiam-defects.md', { Defects: 17 }],
  ['kube2iam-defects.md', { Kept: 15, Mended: 28 }],
];

for (const [file, sections] of pages) {
  const page = readFileSync(join(root, 'docs', file), 'utf8');

  describe(`the tests that docs/${file} names`, () => {
    for (const [title, count] of Object.entries(sections)) {
      it(`are named for every row: ${title}`, () => {
        const section = page.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';
        const rows = Array.from(section.matchAll(/^\| (\d+) \|.*\.test\.ts/gm), ([, number]) =>
          Number(number),
        );
        assert.deepEqual(
          rows,
          Array.from({ length: count }, (_, index) => index + 1),
        );
      });
    }

    for (const [, path = '', title] of page.matchAll(/`([\w./-]+\.test\.ts)`(?:: "([^"]+)")?/g)) {
      it(`exist: ${path}: ${title ?? 'all of it'}`, () => {
        assert.ok(existsSync(join(root, path)), `there is no ${path}`);
        // The title may be part of one that is put together, but it is a title: it stands in quotes behind `it(`, or in
        // a table of cases, and never in a comment.
        const lines = readFileSync(join(root, path), 'utf8').split('\n');
        const code = lines.filter((line) => !/^\s*(\/\/|\*)/.test(line)).join('\n');
        assert.ok(
          title === undefined || code.replaceAll("\\'", "'").includes(title),
          `no test is called "${title}"`,
        );
      });
    }
  });
}
