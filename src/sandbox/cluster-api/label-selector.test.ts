import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseLabelSelector } from './label-selector.ts';
import { accepted, refusal } from './testing/outcomes.ts';

const web = { app: 'web', tier: 'front', 'example.com/size': '10' };
const bare = {};

describe('label selectors', () => {
  const cases: [string, boolean, boolean][] = [
    // selector, matches web, matches an object without labels
    ['', true, true],
    ['  ', true, true],
    ['app=web', true, false],
    ['app==web', true, false],
    ['app = web', true, false],
    ['app=api', false, false],
    ['app=', false, false],
    ['app!=web', false, true],
    ['app!=api', true, true],
    ['app', true, false],
    ['!app', false, true],
    ['! app', false, true],
    ['app in (web)', true, false],
    ['app in (api, web)', true, false],
    ['app in (api,db)', false, false],
    ['app notin (api,db)', true, true],
    ['app notin (web)', false, true],
    ['app=web,tier=front', true, false],
    ['app=web,tier=back', false, false],
    ['app in (web,api),tier notin (back),!gone', true, false],
    ['example.com/size>9', true, false],
    ['example.com/size>10', false, false],
    ['example.com/size<11', true, false],
    ['app>1', false, false],
    ['in=x', false, false],
    ['constructor', false, false],
    ['!toString', true, true],
  ];
  for (const [selector, matchesWeb, matchesBare] of cases) {
    it(`reads ${JSON.stringify(selector)}`, () => {
      const match = accepted(parseLabelSelector(selector));
      assert.equal(match(web), matchesWeb, 'with labels');
      assert.equal(match(bare), matchesBare, 'without labels');
    });
  }

  const wrong = [
    '=',
    'a=b=c',
    'app in web',
    'app in (web',
    'app web',
    '-a=b',
    'a=b c',
    ',',
    'a,,b',
    'a>b',
    'a=(b)',
    'a in (b c)',
    'ä=b',
  ];
  for (const selector of [...wrong, 'x'.repeat(5_000)]) {
    it(`refuses ${JSON.stringify(selector.slice(0, 20))}`, () => {
      refusal(parseLabelSelector(selector), 400, 'BadRequest');
    });
  }

  it('takes any text without throwing, and quickly', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: fc.constantFrom(...'ab,=!()<> in-./\\') }), (text) => {
        const outcome = parseLabelSelector(text);
        if (outcome.kind === 'done') assert.equal(typeof outcome.value({ a: 'b' }), 'boolean');
      }),
      { numRuns: 500 },
    );
  });

  it('says the opposite with notin of what it says with in', () => {
    const value = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(value, fc.array(value, { minLength: 1 }), (actual, values) => {
        const inside = accepted(parseLabelSelector(`k in (${values})`))({ k: actual });
        const outside = accepted(parseLabelSelector(`k notin (${values})`))({ k: actual });
        assert.equal(inside, values.includes(actual));
        assert.equal(outside, !inside);
      }),
    );
  });
});
