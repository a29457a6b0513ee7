import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillIn, parseManifest } from './manifest.ts';

const good = {
  title: 'Go v2',
  sdk: 'aws-sdk-go-v2 1.48.0',
  needs: ['go'],
  install: 'Go',
  build: [['go', 'build', '-o', '{out}/client', '.']],
  run: ['{out}/client'],
  refresh: { servedWith: 40, after: 40 },
};

describe('the manifest of a client', () => {
  it('is read, and a client speaks IMDSv1 unless it says otherwise', () => {
    assert.deepEqual(parseManifest(JSON.stringify(good)), { ...good, speaksV1: true });
    assert.equal(parseManifest(JSON.stringify({ ...good, speaksV1: false })).speaksV1, false);
  });

  const wrong: readonly (readonly [what: string, manifest: unknown, said: RegExp])[] = [
    ['no object', [], /not a JSON object/],
    ['a key nobody knows', { ...good, runs: [] }, /no key "runs"/],
    ['no title', { ...good, title: '' }, /"title" must be a text/],
    ['a title that breaks the table', { ...good, title: 'a | b' }, /"title" has a character/],
    ['a title with a line of its own', { ...good, title: 'a\nb' }, /"title" has a character/],
    ['a command that is a text', { ...good, run: './client' }, /"run" must be a list/],
    ['a command without words', { ...good, run: [] }, /"run" has a command without a word/],
    ['builds that are one command', { ...good, build: ['make'] }, /"build" must be a list/],
    ['speaksV1 as a text', { ...good, speaksV1: 'no' }, /"speaksV1" must be true or false/],
    ['no habit', { ...good, refresh: undefined }, /"refresh" must be an object/],
    ['a habit that is not in seconds', { ...good, refresh: { servedWith: 0.5, after: 1 } }, /servedWith/],
    ['a habit of a day', { ...good, refresh: { servedWith: 40, after: 86_400 } }, /refresh.after/],
  ];
  for (const [what, manifest, said] of wrong)
    it(`is refused with ${what}`, () => assert.throws(() => parseManifest(JSON.stringify(manifest)), said));

  it('says with placeholders where things are', () => {
    const places = { out: '/cache/x', dir: '/clients/x' };
    assert.deepEqual(fillIn(['a', '{out}/b:{out}/c', '{dir}/d'], places), [
      'a',
      '/cache/x/b:/cache/x/c',
      '/clients/x/d',
    ]);
  });
});
