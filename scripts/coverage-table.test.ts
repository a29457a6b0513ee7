import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { coverageTable } from './coverage-table.ts';

const file = (path: string, lines: readonly [number, number], branches: readonly [number, number]) => ({
  path: `/project/${path}`,
  coveredLineCount: lines[0],
  totalLineCount: lines[1],
  coveredBranchCount: branches[0],
  totalBranchCount: branches[1],
});

describe('coverageTable', () => {
  it('adds up the files of a room, and all of them', () => {
    const files = [
      file('src/roles/a.ts', [10, 20], [1, 2]),
      file('src/wire/gen/c.ts', [8, 10], [3, 4]),
      file('src/roles/b.ts', [80, 80], [8, 8]),
    ];
    assert.equal(
      coverageTable('/project', files),
      [
        'Run by the tests:',
        '  src/roles                 90.0 % of lines  90.0 % of branches',
        '  src/wire                  80.0 % of lines  75.0 % of branches',
        '  all                       89.1 % of lines  85.7 % of branches',
        '',
        'Never run:',
        '     10 lines of src/roles/a.ts',
        '      2 lines of src/wire/gen/c.ts',
        '',
      ].join('\n'),
    );
  });

  it('names no gaps where there are none, and takes nothing for all of it', () => {
    const table = coverageTable('/project', [file('src/main.ts', [0, 0], [0, 0])]);
    assert.match(table, /^ {2}src +100\.0 % of lines 100\.0 % of branches$/m);
    assert.ok(!table.includes('Never run'));
  });

  it('names only the ten files with the most lines that were never run', () => {
    const files = Array.from({ length: 15 }, (_, n) => file(`src/a/f${n}.ts`, [0, n + 1], [0, 0]));
    const named = Array.from(coverageTable('/project', files).matchAll(/lines of src\/a\/f(\d+)/g), ([, n]) =>
      Number(n),
    );
    assert.deepEqual(named, [14, 13, 12, 11, 10, 9, 8, 7, 6, 5]);
  });
});
