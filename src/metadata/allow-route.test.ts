import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { compileAllowRoute } from './allow-route.ts';

describe('compileAllowRoute', () => {
  const cases: [string, string, boolean][] = [
    // kiam's default, and what an empty flag means: nothing.
    ['^$', '/latest/meta-data/ami-id', false],
    ['', '/latest/meta-data/ami-id', false],
    ['', '/', false],
    // Found anywhere, as in kiam.
    ['placement', '/latest/meta-data/placement/region', true],
    ['/latest/meta-data/placement/', '/latest/meta-data/placement/region', true],
    ['^/latest/dynamic/instance-identity/document$', '/latest/dynamic/instance-identity/document', true],
    ['^/latest/dynamic/instance-identity/document$', '/latest/dynamic/instance-identity/document/', false],
    ['^placement', '/latest/meta-data/placement', false],
    // Of RE2's own syntax.
    ['(?i)PLACEMENT', '/latest/meta-data/placement', true],
    ['\\Aa|/x\\z', '/x', true],
  ];
  for (const [expression, path, allowed] of cases) {
    it(`${JSON.stringify(expression)} ${allowed ? 'allows' : 'does not allow'} ${path}`, async () => {
      assert.equal((await compileAllowRoute(expression)).allows(path), allowed);
    });
  }

  for (const expression of ['(', '(?=x)', '[z-a]', '(a)\\1', '*']) {
    it(`refuses ${expression} and says which flag is wrong`, async () => {
      await assert.rejects(
        compileAllowRoute(expression),
        (error) =>
          error instanceof PodpassError &&
          error.code === 'ERR_USAGE' &&
          error.message.includes('--allow-route-regexp'),
      );
    });
  }

  it('takes linear time over what makes others backtrack', async () => {
    const path = `/${'a'.repeat(2_000)}!`;
    assert.equal((await compileAllowRoute('^/(a+)+$')).allows(path), false);
  });
});
