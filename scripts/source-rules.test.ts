import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkSource, longestFile } from './source-rules.ts';

describe('checkSource', () => {
  const mistakes: readonly [string, string][] = [
    ['const now = Date.now();', 'src/roles/a.ts:1 reads the clock: take a Clock'],
    ['a;\nb(new Date());', 'src/roles/a.ts:2 reads the clock: take a Clock'],
    ['x = performance.now() - y;', 'src/roles/a.ts:1 reads the clock: take a Clock'],
    ['setTimeout(fn, 10);', 'src/roles/a.ts:1 sets a timer by itself: take a Clock'],
    ['\n\nconst t = setInterval(fn, 10);', 'src/roles/a.ts:3 sets a timer by itself: take a Clock'],
    ['return Math.random() * 2;', 'src/roles/a.ts:1 draws a random number: take a Random'],
    [
      'const { HOME } = process.env;',
      'src/roles/a.ts:1 reads the environment: take what it needs as an option',
    ],
    ['/* one\n two */ Date.now()', 'src/roles/a.ts:2 reads the clock: take a Clock'],
  ];
  for (const [text, expected] of mistakes) {
    it(`finds ${JSON.stringify(text)}`, () =>
      assert.deepEqual(checkSource('src/roles/a.ts', text), [expected]));
  }

  const fine = [
    'clock.now(); clock.setTimer(1, fn); random.next();',
    'const at = new Date(millis).toISOString();',
    'request.setTimeout(1_000); server.setTimeout(0);',
    '// Date.now() would step',
    '/**\n * Not Math.random(), which cannot be seeded.\n */',
    'const env = options.env;',
    '',
  ];
  for (const text of fine) {
    it(`takes ${JSON.stringify(text)}`, () => assert.deepEqual(checkSource('src/roles/a.ts', text), []));
  }

  it('does not take an address for a comment', () => {
    const text = `const url = 'http://127.0.0.1'; const now = Date.now();`;
    assert.equal(checkSource('src/roles/a.ts', text).length, 1);
  });

  const exempt = [
    'src/main.ts',
    'src/commands/agent.ts',
    'src/base/clock.ts',
    'src/base/random.ts',
    'src/wire/testing/certificates.ts',
    'src/a.test.ts',
  ];
  for (const path of exempt) {
    it(`lets ${path} do it`, () => {
      assert.deepEqual(checkSource(path, 'Date.now(); setTimeout(f, 1); Math.random(); process.env'), []);
    });
  }

  it('does not take a namesake of an exempt file for it', () => {
    for (const path of [
      'src/cluster/clock.ts',
      'src/base/clock.ts.ts',
      'src/roles/commands/a.ts',
      'src/base/fake-clock.ts',
    ])
      assert.equal(checkSource(path, 'Date.now()').length, 1, path);
  });

  it('refuses a file that is too long, in bytes, also where the other rules do not hold', () => {
    const text = 'é'.repeat(longestFile / 2 + 1);
    for (const path of ['src/roles/a.ts', 'src/commands/a.ts'])
      assert.deepEqual(checkSource(path, text), [
        `${path} has 20002 bytes, more than 20000: it is two files`,
      ]);
    assert.deepEqual(checkSource('src/roles/a.ts', text.slice(1)), []);
    assert.deepEqual(checkSource('src/wire/gen/a.ts', text), [], 'generated');
    assert.deepEqual(checkSource('src/roles/a.test.ts', text), [], 'a test');
  });
});
