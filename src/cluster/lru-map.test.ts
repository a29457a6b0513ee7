import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createLruMap } from './lru-map.ts';

describe('a map that forgets', () => {
  it('forgets what was used longest ago', () => {
    const map = createLruMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    assert.equal(map.get('a'), 1);
    map.set('c', 3);
    assert.equal(map.get('b'), undefined);
    assert.equal(map.get('a'), 1);
    assert.equal(map.get('c'), 3);
  });

  it('never holds more than its limit, and what it holds is what was set last', () => {
    const step = fc.tuple(fc.constantFrom('get', 'set', 'delete'), fc.nat(9), fc.nat());
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step), (limit, steps) => {
        const map = createLruMap<number, number>(limit);
        const model = new Map<number, number>();
        for (const [act, key, value] of steps) {
          if (act === 'set') {
            map.set(key, value);
            model.set(key, value);
          } else if (act === 'delete') {
            map.delete(key);
            model.delete(key);
          } else {
            const got = map.get(key);
            assert.ok(got === undefined || got === model.get(key));
          }
          assert.ok(map.size <= limit);
        }
      }),
    );
  });
});
