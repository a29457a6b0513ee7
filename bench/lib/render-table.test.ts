import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Measurement, verdictOf } from './measurement.ts';
import { formatNumber, renderTable } from './render-table.ts';

const row = (value: number, budget?: Measurement['budget']): Measurement => ({
  id: 'agent-resident',
  what: 'memory',
  value,
  unit: 'MB',
  ...(budget && { budget }),
});

describe('verdictOf', () => {
  it('lets a figure be as large as its budget, and no larger', () => {
    assert.equal(verdictOf(row(40, { atMost: 40 })), 'within');
    assert.equal(verdictOf(row(40.01, { atMost: 40 })), 'MISSED');
  });

  it('lets a figure be as small as its budget, and no smaller', () => {
    assert.equal(verdictOf(row(0.85, { atLeast: 0.85 })), 'within');
    assert.equal(verdictOf(row(0.84, { atLeast: 0.85 })), 'MISSED');
  });

  it('takes a figure that could not be had for a miss', () => {
    assert.equal(verdictOf(row(Number.NaN, { atMost: 40 })), 'MISSED');
    assert.equal(verdictOf(row(Number.NaN, { atLeast: 40 })), 'MISSED');
  });

  it('says nothing where nothing was promised', () => assert.equal(verdictOf(row(9_000)), 'no budget'));
});

describe('formatNumber', () => {
  for (const [value, text] of [
    [0.9123, '0.912'],
    [0.0004, '0'],
    [1.3549, '1.35'],
    [41.26, '41.3'],
    [100.4, '100'],
    [73_600.1, '73,600'],
    [-2.5, '-2.5'],
    [Number.NaN, 'none'],
  ] as const) {
    it(`writes ${value} as ${text}`, () => assert.equal(formatNumber(value), text));
  }
});

describe('renderTable', () => {
  const table = renderTable([
    { ...row(38.2, { atMost: 40 }), beside: 'bare server: 29 MB' },
    { ...row(0.8, { atLeast: 0.85 }), unit: '× bare', what: 'requests/s' },
    row(12),
  ]);
  const lines = table.split('\n');

  it('has a line for each figure and one for what is beside it', () => {
    assert.equal(lines.length, 2 + 3 + 1);
    assert.equal(lines[3], '    bare server: 29 MB');
  });

  it('shows a miss as one', () => {
    assert.match(lines[2] ?? '', /^memory +38\.2 MB +<= 40 MB +within$/);
    assert.match(lines[4] ?? '', /^requests\/s +0\.8 × bare +>= 0\.85 × bare +MISSED$/);
  });

  it('judges nothing where figures mean nothing', () =>
    assert.match(renderTable([row(41, { atMost: 40 })], { isJudged: false }), /<= 40 MB$/));

  it('has what others came to under what is beside', () => {
    const text = renderTable([{ ...row(12), beside: 'bare 10 MB' }], {
      under: ({ id }) => `${id}: kiam 56 MB`,
    });
    assert.deepEqual(text.split('\n').slice(3), ['    bare 10 MB', '    agent-resident: kiam 56 MB']);
  });

  it('leaves budget and verdict empty where there are none', () =>
    assert.match(lines[5] ?? '', /^memory +12 MB$/));

  it('keeps columns in line', () => {
    assert.equal((lines[2] ?? '').indexOf('within'), (lines[4] ?? '').indexOf('MISSED'));
  });
});
