import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { compareFolders } from './same-files.ts';

const root = mkdtempSync(join(tmpdir(), 'podpass-same-'));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

function folder(files: Readonly<Record<string, string>>): string {
  const path = join(root, String(count++));
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

describe('compareFolders', () => {
  it('finds no difference between the same files', () => {
    const files = { 'a.ts': 'a', 'deep/er/b.ts': 'b' };
    assert.deepEqual(compareFolders(folder(files), folder(files)), []);
    assert.deepEqual(compareFolders(folder({}), folder({})), []);
  });

  it('names what is missing, what is another, and what should not be there', () => {
    const expected = folder({ 'a.ts': 'a', 'b.ts': 'b', 'deep/c.ts': 'c' });
    const actual = folder({ 'a.ts': 'A', 'deep/c.ts': 'c', 'deep/d.ts': 'd' });
    assert.deepEqual(compareFolders(expected, actual), [
      'a.ts is another',
      'b.ts is missing',
      'deep/d.ts should not be there',
    ]);
  });
});
