import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { expandArgumentFiles } from './expand-argument-files.ts';

describe('expandArgumentFiles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podpass-test-'));
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return `@${join(folder, name)}`;
  };

  it('puts each line in the place of the file, as it is', () => {
    const lines = file('lines', '--level=warn\n--session\nwith blanks and "quotes"\n');
    assert.deepEqual(expandArgumentFiles(['server', lines, '--json-log']), [
      'server',
      '--level=warn',
      '--session',
      'with blanks and "quotes"',
      '--json-log',
    ]);
  });

  it('leaves comments out, keeps empty lines, and takes lines that end as in Windows', () => {
    assert.deepEqual(expandArgumentFiles([file('more', '# why\r\na\r\n\r\nb')]), ['a', '', 'b']);
  });

  it('takes a file that a file names', () => {
    const inner = file('inner', 'x\ny\n');
    assert.deepEqual(expandArgumentFiles([file('outer', `a\n${inner}\nb\n`)]), ['a', 'x', 'y', 'b']);
  });

  it('leaves alone what follows --, and an @ within an argument', () => {
    const args = ['sandbox', 'exec', 'a/b', '--', 'echo', '@nowhere'];
    assert.deepEqual(expandArgumentFiles(args), args);
    assert.deepEqual(expandArgumentFiles(['--session=a@b']), ['--session=a@b']);
  });

  it('does not go on for ever where a file names itself', () => {
    const self = `@${join(folder, 'self')}`;
    file('self', `a\n${self}\n`);
    assert.throws(() => expandArgumentFiles([self]), {
      code: 'ERR_USAGE',
      message: /Does one name itself\?/,
    });
  });

  for (const [arg, problem] of [
    ['@/nonexistent', /"\/nonexistent": ENOENT/],
    ['@/tmp', /"\/tmp": EISDIR/],
    ['@', /"": ENOENT/],
  ] as const) {
    it(`says what ${arg} means when it cannot be read`, () => {
      assert.throws(() => expandArgumentFiles([arg]), { code: 'ERR_FILE', message: problem });
    });
  }

  it('reads no file that is too long to hold arguments', () => {
    const long = file('long', 'x'.repeat(1024 * 1024 + 1));
    assert.throws(() => expandArgumentFiles([long]), { code: 'ERR_FILE', message: /too long/ });
  });
});
