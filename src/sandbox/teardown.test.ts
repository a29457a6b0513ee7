import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTeardown } from './teardown.ts';

describe('teardown', () => {
  it('ends what was started last first, one after the other, and once', async () => {
    const teardown = createTeardown();
    const ended: string[] = [];
    teardown.add(() => ended.push('first'));
    teardown.add(async () => {
      await Promise.resolve();
      ended.push('second');
    });
    await teardown.run();
    await teardown.run();
    assert.deepEqual(ended, ['second', 'first']);
  });

  it('ends the others when one fails, and tells of the failure', async () => {
    const teardown = createTeardown();
    let ended = false;
    teardown.add(() => {
      ended = true;
    });
    teardown.add(() => {
      throw new Error('cannot end');
    });
    await assert.rejects(teardown.run(), /cannot end/);
    assert.ok(ended);
  });
});
