import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTestArguments, testUsage } from './test-arguments.ts';

const defaults = {
  paths: [],
  patterns: [],
  coverage: false,
  requireParts: false,
  verbose: false,
  help: false,
  timeout: 120_000,
};

describe('parseTestArguments', () => {
  const cases: readonly [string, object][] = [
    ['', {}],
    ['src/roles test/a.test.ts', { paths: ['src/roles', 'test/a.test.ts'] }],
    ['--coverage --require-parts --verbose', { coverage: true, requireParts: true, verbose: true }],
    ['--grep ^watch --grep 410 src', { patterns: [/^watch/, /410/], paths: ['src'] }],
    ['--concurrency 4 --timeout 90s', { concurrency: 4, timeout: 90_000 }],
    ['--help', { help: true }],
    ['-- --not-an-option', { paths: ['--not-an-option'] }],
  ];
  for (const [line, expected] of cases) {
    it(`reads "${line}"`, () => {
      const argv = line === '' ? [] : line.split(' ');
      assert.deepEqual(parseTestArguments(argv), { ...defaults, ...expected });
    });
  }

  const mistakes: readonly [string, RegExp][] = [
    ['--coverge', /Unknown option '--coverge'/],
    ['--timeout soon', /--timeout takes a duration such as 30s or 2m, not "soon"/],
    ['--timeout 0', /--timeout takes/],
    ['--timeout -5s', /timeout/],
    ['--concurrency 0', /--concurrency takes a number from 1 to 999, not "0"/],
    ['--concurrency 1.5', /--concurrency takes/],
    ['--grep (', /Invalid regular expression/],
    ['--coverage=yes', /coverage/],
  ];
  for (const [line, expected] of mistakes) {
    it(`refuses "${line}"`, () => assert.throws(() => parseTestArguments(line.split(' ')), expected));
  }
});

describe('testUsage', () => {
  it('names every option that is taken', () => {
    const named = Array.from(testUsage.matchAll(/^ {2}(--[a-z-]+)( [A-Z]+)?/gm));
    assert.equal(named.length, 7);
    for (const [, option = '', value] of named) {
      const sample = { '--timeout': '1s', '--concurrency': '1', '--grep': 'a' }[option] ?? '';
      assert.equal(value !== undefined, sample !== '', option);
      assert.doesNotThrow(() => parseTestArguments(value === undefined ? [option] : [option, sample]));
    }
  });
});
