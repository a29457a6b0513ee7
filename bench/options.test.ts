import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Row } from './lib/row.ts';
import { parseOptions } from './options.ts';

const row = (name: string, hasFlame = false): Row => ({
  name,
  title: name,
  hasFlame,
  measure: async () => [],
});
const rows = [row('metadata', true), row('agent')];
const parse = (...argv: string[]) => parseOptions(argv, rows);

describe('the options of the bench', () => {
  it('measure everything by default', () => {
    const { mode, quick, smoke, rows: chosen } = parse();
    assert.deepEqual({ mode, quick, smoke }, { mode: 'measure', quick: false, smoke: false });
    assert.equal(chosen.length, 2);
  });

  it('choose rows, in the order of the table', () => {
    assert.deepEqual(
      parse('--only', 'agent', '--only', 'metadata').rows.map(({ name }) => name),
      ['metadata', 'agent'],
    );
    assert.throws(() => parse('--only', 'agents'), /--only agents: there are metadata, agent/);
  });

  it('take a smoke test for a quick one', () => assert.equal(parse('--smoke').quick, true));

  it('draw one row that can be drawn', () => {
    assert.equal(parse('--only', 'metadata', '--flame', 'a.svg').flame, 'a.svg');
    for (const argv of [
      ['--flame', 'a.svg'],
      ['--only', 'agent', '--flame', 'a.svg'],
      ['--scaling', '--only', 'metadata', '--flame', 'a.svg'],
    ])
      assert.throws(() => parse(...argv), /--flame needs --only with one of metadata/);
  });

  it('do one thing at a time', () => {
    assert.equal(parse('--scaling', '--quick').mode, 'scaling');
    assert.throws(() => parse('--scaling', '--docs'), /--scaling and --docs are two things/);
    assert.throws(() => parse('--fast'), /--fast/);
  });
});
