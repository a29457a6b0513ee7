import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom } from '../../base/random.ts';
import { lookUpMetadata } from './metadata-tree.ts';
import { createTokenTable } from './token-table.ts';

describe('createTokenTable', () => {
  it('knows its own tokens until they end, each by itself', async () => {
    const clock = createFakeClock();
    const tokens = createTokenTable(clock, createSeededRandom(1));
    const [short, long] = [tokens.issue(1), tokens.issue(2)];
    assert.notEqual(short, long);
    assert.deepEqual([tokens.isValid(short), tokens.isValid(long), tokens.isValid('')], [true, true, false]);
    await clock.advance(1_000);
    assert.deepEqual([tokens.isValid(short), tokens.isValid(long)], [false, true]);
    await clock.advance(1_000);
    assert.equal(tokens.isValid(long), false);
  });

  it('does not mind a step of the wall clock', () => {
    const clock = createFakeClock();
    const tokens = createTokenTable(clock, createSeededRandom(1));
    const token = tokens.issue(60);
    clock.step(3_600_000);
    assert.equal(tokens.isValid(token), true);
  });

  it('forgets the oldest when there are too many', () => {
    const tokens = createTokenTable(createFakeClock(), createSeededRandom(1), 2);
    const issued = [tokens.issue(60), tokens.issue(60), tokens.issue(60)];
    assert.deepEqual(issued.map(tokens.isValid), [false, true, true]);
  });
});

describe('lookUpMetadata', () => {
  let count = 0;
  const tree = { a: { leaf: () => 'text', branch: { deep: () => `${++count}` } }, b: () => '' };
  const cases: readonly (readonly [path: string, body: string | undefined])[] = [
    ['', 'a/\nb'],
    ['a', 'leaf\nbranch/'],
    ['a/', 'leaf\nbranch/'],
    ['a/leaf', 'text'],
    ['a/leaf/', 'text'],
    ['a/branch', 'deep'],
    ['b', ''],
    ['a/leaf/x', undefined],
    ['a//leaf', 'text'],
    ['/a//', 'leaf\nbranch/'],
    ['c', undefined],
    ['toString', undefined],
    ['a/leaf/name', undefined],
  ];
  for (const [path, body] of cases) {
    it(`finds ${JSON.stringify(body)} at ${JSON.stringify(path)}`, () => {
      const expected = body === undefined ? { kind: 'missing' } : { kind: 'found', body };
      assert.deepEqual(lookUpMetadata(tree, path.split('/')), expected);
    });
  }

  it('asks a leaf each time', () => {
    const look = () => lookUpMetadata(tree, ['a', 'branch', 'deep']);
    assert.notDeepEqual(look(), look());
  });
});
