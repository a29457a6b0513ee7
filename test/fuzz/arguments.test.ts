import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFuzzArguments } from './arguments.ts';

const known = ['route', 'door'];
const parse = (...argv: string[]) => parseFuzzArguments(argv, known);

describe('the command line of the fuzzer', () => {
  it('is a minute over all targets unless it says otherwise', () => {
    const { targets, seconds, executions, files, seed } = parse();
    assert.deepEqual(
      { targets, seconds, executions, files, seed },
      {
        targets: [],
        seconds: 60,
        executions: Number.POSITIVE_INFINITY,
        files: [],
        seed: undefined,
      },
    );
  });

  it('takes targets, bounds and a seed', () => {
    const args = parse(
      '--target',
      'route',
      '--target',
      'door',
      '--seconds',
      '5',
      '--executions',
      '9',
      '--seed',
      '0',
    );
    assert.deepEqual([args.targets, args.seconds, args.executions, args.seed], [['route', 'door'], 5, 9, 0]);
  });

  it('replays files on one target', () => {
    assert.deepEqual(parse('--target', 'route', 'a', 'b').files, ['a', 'b']);
    assert.throws(() => parse('a'), /give --target NAME/);
    assert.throws(() => parse('--target', 'route', '--target', 'door', 'a'), /give --target NAME/);
  });

  for (const argv of [
    ['--target', 'nothing'],
    ['--seconds', '-1'],
    ['--seconds', '1e9'],
    ['--seed', 'x'],
    ['--fast'],
  ]) {
    it(`refuses ${argv.join(' ')}`, () => assert.throws(() => parse(...argv)));
  }
});
