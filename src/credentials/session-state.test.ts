import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionState } from './session.ts';
import { isSameState } from './session-state.ts';
import { createCredentials } from './testing/scripted-backend.ts';

const problem = { code: 'Throttling', message: 'Rate exceeded' };
const first = createCredentials('A', 0, 1);
const second = createCredentials('B', 0, 1);

/** No two of these say the same. */
const states: SessionState[] = [
  { kind: 'pending' },
  { kind: 'issued', credentials: first },
  { kind: 'issued', credentials: second },
  { kind: 'issued', credentials: first, problem },
  { kind: 'issued', credentials: first, problem: { ...problem, message: 'other' } },
  { kind: 'refused', ...problem },
  { kind: 'refused', ...problem, code: 'AccessDenied' },
  { kind: 'unavailable', ...problem },
  { kind: 'unavailable', ...problem, message: 'other' },
];

describe('isSameState', () => {
  for (const [row, a] of states.entries()) {
    it(`finds ${JSON.stringify(a)} the same as itself and as nothing else`, () => {
      for (const [column, b] of states.entries()) assert.equal(isSameState(a, { ...b }), row === column);
    });
  }
});
