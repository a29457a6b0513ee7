import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  at,
  deepFreeze,
  isList,
  isObject,
  type Json,
  listAt,
  only,
  same,
  textAt,
  unsafeJson,
  without,
} from './json.ts';

describe('reading JSON by path', () => {
  const object = { a: { b: [1, { c: 'text' }], flag: false, count: 0, none: null } };

  it('finds what is there and nothing else', () => {
    assert.deepEqual(at(object, 'a', 'b'), [1, { c: 'text' }]);
    assert.equal(at(object, 'a', 'none'), null);
    assert.equal(at(object, 'a', 'missing', 'deeper'), undefined);
    assert.equal(at(object, 'a', 'count', 'deeper'), undefined);
    assert.equal(at(undefined, 'a'), undefined);
    assert.equal(at(object), object);
  });

  it('does not find what only a prototype has', () => {
    assert.equal(at(object, 'constructor', 'name'), undefined);
    assert.equal(at(object, 'a', 'toString'), undefined);
  });

  it('writes scalars as text and everything else as nothing', () => {
    assert.equal(textAt(object, 'a', 'flag'), 'false');
    assert.equal(textAt(object, 'a', 'count'), '0');
    assert.equal(textAt(object, 'a', 'none'), '');
    assert.equal(textAt(object, 'a', 'b'), '');
    assert.equal(textAt('whole'), 'whole');
  });

  it('takes what is no list as an empty one', () => {
    assert.deepEqual(listAt(object, 'a', 'b'), [1, { c: 'text' }]);
    assert.deepEqual(listAt(object, 'a'), []);
    assert.deepEqual(listAt(object, 'missing'), []);
  });
});

describe('parts of objects', () => {
  it('leaves fields out, or takes only them, without touching the original', () => {
    const object = deepFreeze({ a: 1, b: 2, c: 3 });
    assert.deepEqual(without(object, 'a', 'missing'), { b: 2, c: 3 });
    assert.deepEqual(only(object, ['c', 'missing']), { c: 3 });
    assert.deepEqual(object, { a: 1, b: 2, c: 3 });
  });

  it('makes up the whole again from both halves', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), fc.array(fc.string()), (object, extra) => {
        const fields = [...Object.keys(object).filter((_, index) => index % 2 === 0), ...extra];
        const halves = { ...without(object, ...fields), ...only(object, fields) };
        assert.deepEqual(Object.entries(halves).sort(), Object.entries(object).sort());
      }),
    );
  });

  it('compares by what is in them', () => {
    assert.ok(same({ a: [1, { b: 'x' }] }, { a: [1, { b: 'x' }] }));
    assert.ok(!same({ a: [1, 2] }, { a: [2, 1] }));
    assert.ok(!same({}, { a: null }));
  });

  it('freezes all the way down', () => {
    const object = deepFreeze({ list: [{ inner: { value: 1 } }] });
    const inner = object.list[0];
    assert.ok(inner);
    assert.throws(() => Object.assign(inner.inner, { value: 2 }), TypeError);
    assert.throws(() => (object.list as Json[]).push(2), TypeError);
  });

  it('tells objects from lists and null', () => {
    assert.deepEqual([{}, [], null, 'x', undefined].map(isObject), [true, false, false, false, false]);
    assert.deepEqual([{}, [], null].map(isList), [false, true, false]);
  });
});

describe('unsafeJson', () => {
  it('has nothing against any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        assert.equal(unsafeJson(value), undefined);
      }),
    );
  });

  it('refuses what is nested too deeply before it can exhaust the stack', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 50_000; i++) deep = [deep];
    assert.match(unsafeJson(deep) ?? '', /nested more than 100 levels/);
    assert.equal(unsafeJson(JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`)), undefined);
    assert.match(unsafeJson(JSON.parse(`${'['.repeat(101)}${']'.repeat(101)}`)) ?? '', /nested/);
  });

  const unsafe: [string, unknown, RegExp][] = [
    ['a key that would change a prototype', JSON.parse('{"a":{"__proto__":{"x":1}}}'), /__proto__/],
    ['a date', { when: new Date(0) }, /Date/],
    ['a map', [new Map()], /Map/],
    ['undefined', [undefined], /undefined/],
    ['a big integer', { n: 1n }, /bigint/],
    ['an endless number', { n: Number.POSITIVE_INFINITY }, /Infinity/],
    ['no number', { n: Number.NaN }, /NaN/],
  ];
  for (const [what, value, pattern] of unsafe) {
    it(`refuses ${what}`, () => assert.match(unsafeJson(value) ?? '', pattern));
  }
});
