import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createReviewQueue } from './review-queue.ts';

const settle = () => new Promise(setImmediate);

describe('the queue of reviews', () => {
  it('runs so many at once, in order, lets so many wait, and turns the rest away', async () => {
    const queue = createReviewQueue(2, 1);
    const started: string[] = [];
    const finish = new Map<string, () => void>();
    const run = (name: string) =>
      queue.run(() => {
        started.push(name);
        return new Promise<string>((resolve) => finish.set(name, () => resolve(name)));
      });
    const [a, b, c] = [run('a'), run('b'), run('c')];
    assert.equal(await run('d'), undefined);
    assert.deepEqual(started, ['a', 'b']);
    finish.get('b')?.();
    assert.equal(await b, 'b');
    await settle();
    assert.deepEqual(started, ['a', 'b', 'c']);
    for (const name of ['a', 'c']) finish.get(name)?.();
    assert.deepEqual(await Promise.all([a, c]), ['a', 'c']);
    const again = run('e');
    finish.get('e')?.();
    assert.equal(await again, 'e');
  });

  it('goes on after work that fails', async () => {
    const queue = createReviewQueue(1, 1);
    const failing = queue.run(() => Promise.reject(new Error('no')));
    const next = queue.run(async () => 'next');
    await assert.rejects(failing, /no/);
    assert.equal(await next, 'next');
  });
});
