import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareResourceVersions, isNotNewer, newerResourceVersion } from './resource-version.ts';

describe('resource versions', () => {
  it('compare as integers of any size', () => {
    const version = fc.bigInt({ min: 1n, max: 2n ** 80n });
    fc.assert(
      fc.property(version, version, (a, b) => {
        const order = compareResourceVersions(String(a), String(b));
        assert.equal(Math.sign(order ?? Number.NaN), a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('are the same or not, and no more, where they are no plain decimals', () => {
    for (const odd of ['', '0', '007', '1.5', '-3', '1e3', 'abc', '٣', '12 ']) {
      assert.equal(compareResourceVersions(odd, odd), 0, JSON.stringify(odd));
      assert.equal(compareResourceVersions(odd, '12'), undefined, JSON.stringify(odd));
      assert.equal(compareResourceVersions('12', odd), undefined, JSON.stringify(odd));
    }
  });

  it('that cannot be compared count as news, and the later one is kept', () => {
    assert.equal(isNotNewer('abc', '5'), false);
    assert.equal(newerResourceVersion('5', 'abc'), 'abc');
    assert.equal(newerResourceVersion('abc', '5'), '5');
  });

  it('that are known or older are no news', () => {
    assert.equal(isNotNewer('5', '5'), true);
    assert.equal(isNotNewer('9', '10'), true);
    assert.equal(isNotNewer('11', '10'), false);
    assert.equal(isNotNewer('abc', 'abc'), true);
    assert.equal(isNotNewer('1', undefined), false);
  });

  it('never go back', () => {
    assert.equal(newerResourceVersion('10', '9'), '10');
    assert.equal(newerResourceVersion('9', '10'), '10');
    assert.equal(newerResourceVersion('9', '9'), '9');
  });
});
