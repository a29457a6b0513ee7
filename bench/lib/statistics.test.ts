import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { median, percentile } from './statistics.ts';

describe('median', () => {
  it('is the value in the middle, whatever the order', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 3, 2]), 3);
  });

  it('compares numbers, not texts', () => assert.equal(median([10, 9, 100]), 10));

  it('is no number without values', () => assert.ok(Number.isNaN(median([]))));
});

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

  it('is the nearest rank', () => {
    assert.equal(percentile(hundred, 0.99), 99);
    assert.equal(percentile(hundred, 0.5), 50);
    assert.equal(percentile(hundred, 1), 100);
  });

  it('is the largest of a few values', () => assert.equal(percentile([3, 8, 5], 0.99), 8));

  it('is the smallest at zero', () => assert.equal(percentile([3, 8, 5], 0), 3));
});
