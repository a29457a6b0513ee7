import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lineOf, lineThrough } from './series.ts';

describe('lineThrough', () => {
  it('finds the line that points are on', () =>
    assert.deepEqual(
      lineThrough([
        [10, 25],
        [20, 45],
        [40, 85],
      ]),
      { base: 5, slope: 2 },
    ));

  it('goes between points that are on none', () =>
    assert.deepEqual(
      lineThrough([
        [0, 1],
        [0, 3],
        [2, 5],
        [2, 7],
      ]),
      { base: 2, slope: 2 },
    ));

  it('makes no line of one point', () => {
    assert.throws(() => lineThrough([]), /two points/);
    assert.throws(
      () =>
        lineThrough([
          [3, 1],
          [3, 2],
        ]),
      /two points/,
    );
  });
});

describe('lineOf', () => {
  const series = {
    by: 'pods',
    fixed: {},
    points: [
      { n: 0, values: { heap: 10 } },
      { n: 100, values: { heap: 30, cpu: 1 } },
    ],
  };

  it('takes one value of a series', () => assert.deepEqual(lineOf(series, 'heap'), { base: 10, slope: 0.2 }));

  it('says which value has no line', () => {
    assert.throws(() => lineOf(series, 'cpu'), /cpu by pods was measured at 1 points/);
    assert.throws(() => lineOf(series, 'other'), /other by pods was measured at 0 points/);
  });
});
