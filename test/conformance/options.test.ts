import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choose, conformanceUsage, parseConformanceOptions } from './options.ts';
import { scenarios } from './scenarios.ts';

describe('the options of npm run conformance', () => {
  it('are all clients and all scenarios by default', () => {
    assert.deepEqual(parseConformanceOptions([]), {
      only: [],
      scenarios: [],
      check: false,
      build: false,
      long: false,
      folders: [],
      concurrency: 4,
      help: false,
    });
  });

  it('are read', () => {
    const argv =
      '--only rust --only boto3 --scenario imds-v2 --check --build --long --clients x --json y --concurrency 2';
    assert.deepEqual(parseConformanceOptions(argv.split(' ')), {
      only: ['rust', 'boto3'],
      scenarios: ['imds-v2'],
      check: true,
      build: true,
      long: true,
      folders: ['x'],
      json: 'y',
      concurrency: 2,
      help: false,
    });
  });

  for (const argv of [['--concurrency', '0'], ['--concurrency', 'many'], ['--onyl', 'rust'], ['rust']])
    it(`are refused: ${argv.join(' ')}`, () => assert.throws(() => parseConformanceOptions(argv)));

  it('are each in the help', () => {
    for (const flag of [
      'only',
      'scenario',
      'check',
      'build',
      'long',
      'clients',
      'json',
      'concurrency',
      'help',
    ])
      assert.match(conformanceUsage, new RegExp(`^  --${flag}\\b`, 'm'));
  });
});

describe('a choice by name', () => {
  const things = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

  it('keeps the order of the things', () => {
    assert.deepEqual(choose('--only', ['c', 'a'], things), [{ name: 'a' }, { name: 'c' }]);
    assert.deepEqual(choose('--only', [], things), things);
  });

  it('names what there is for a name that is nothing', () => {
    assert.throws(() => choose('--only', ['d'], things), /--only d: there are a, b, c/);
  });

  it('finds one scenario for each name', () => {
    assert.equal(new Set(scenarios.map(({ name }) => name)).size, scenarios.length);
  });
});
