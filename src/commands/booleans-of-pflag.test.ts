import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { booleansOfPflag } from './booleans-of-pflag.ts';
import { createProgram, runCommandLine } from './command-line.ts';

describe('booleansOfPflag', () => {
  const program = createProgram();
  for (const [given, expected] of [
    [
      ['standalone', '--iptables=true', '--verbose=0'],
      ['standalone', '--iptables', '--no-verbose'],
    ],
    [['standalone', '--node=true', '--host-ip=false'], undefined],
    [['standalone', '--iptables=maybe', '--iptables=', '--unknown=true', '--no-iptables=true'], undefined],
    [['standalone', '--', '--iptables=true'], undefined],
    [['agent', '--iptables=true'], undefined],
    [[], undefined],
  ] as const) {
    it(`makes of ${given.join(' ') || 'nothing'} what our parser takes`, () => {
      assert.deepEqual(booleansOfPflag(program, given), expected ?? given);
    });
  }

  it('leaves other values to be refused', async () => {
    let said = '';
    const status = await runCommandLine(['node', 'podpass', 'standalone', '--iptables=maybe'], {
      out: () => {},
      error: (text) => {
        said += text;
      },
    });
    assert.equal(status, 1);
    assert.match(said, /--iptables takes no value: write --iptables or --no-iptables/);
  });
});
