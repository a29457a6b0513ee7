import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { findTestFiles } from './test-files.ts';

const root = mkdtempSync(join(tmpdir(), 'podpass-files-'));
after(() => rmSync(root, { recursive: true, force: true }));
const tree = [
  'src/roles/a.ts',
  'src/roles/a.test.ts',
  'src/roles/deep/er/b.test.ts',
  'src/wire/c.test.ts',
  'test/parts/d.test.ts',
  'test/network/h.test.ts',
  'test/node_modules/x/e.test.ts',
  'node_modules/y/f.test.ts',
  'other/g.test.ts',
];
for (const path of tree) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), '');
}

describe('findTestFiles', () => {
  const cases: readonly [readonly string[], readonly string[]][] = [
    [
      [],
      ['test/parts/d.test.ts', 'src/roles/a.test.ts', 'src/roles/deep/er/b.test.ts', 'src/wire/c.test.ts'],
    ],
    [['src/roles'], ['src/roles/a.test.ts', 'src/roles/deep/er/b.test.ts']],
    [['src/roles/'], ['src/roles/a.test.ts', 'src/roles/deep/er/b.test.ts']],
    [
      ['src/wire/c.test.ts', 'src/roles/a.test.ts'],
      ['src/wire/c.test.ts', 'src/roles/a.test.ts'],
    ],
    [['src/*/*.ts'], ['src/roles/a.test.ts', 'src/wire/c.test.ts']],
    [['src/wire', 'src/wire/c.test.ts', 'src/**/c.*'], ['src/wire/c.test.ts']],
    [['other'], ['other/g.test.ts']],
    [['test/network'], ['test/network/h.test.ts']],
  ];
  for (const [paths, expected] of cases) {
    it(`takes ${paths.length === 0 ? 'no path' : paths.join(' ')} for ${expected.length} files`, () => {
      assert.deepEqual(
        findTestFiles(root, paths),
        expected.map((path) => join(root, path)),
      );
    });
  }

  it('takes a whole path, from wherever', () => {
    assert.deepEqual(findTestFiles('/', [join(root, 'other')]), [join(root, 'other/g.test.ts')]);
  });

  for (const path of ['src/rolse', 'src/roles/a.ts', 'src/**/z*.test.ts', 'src/roles/none.test.ts']) {
    it(`refuses ${path}, which means no test`, () => {
      assert.throws(() => findTestFiles(root, ['src/wire', path]), {
        message: `${path} is no test file, and no folder or glob with one`,
      });
    });
  }
});
