import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBoundedLabel } from './bounded-label.ts';

describe('createBoundedLabel', () => {
  it('keeps those that came first, for ever, and calls the rest other', () => {
    const label = createBoundedLabel(2);
    assert.deepEqual(['a', 'b', 'c', 'a', 'd', 'b'].map(label), ['a', 'b', 'other', 'a', 'other', 'b']);
  });
});
