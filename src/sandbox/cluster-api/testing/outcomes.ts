import assert from 'node:assert/strict';
import type { Outcome, Status } from '../status.ts';

/** The value of an outcome that must be one. */
export function accepted<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'done') return outcome.value;
  assert.fail(`refused: ${outcome.status.code} ${outcome.status.message}`);
}

/** The Status of an outcome that must be a refusal with this code and reason. */
export function refusal(outcome: Outcome<unknown>, code: number, reason?: string): Status {
  if (outcome.kind === 'done') assert.fail(`it was not refused: ${JSON.stringify(outcome.value)}`);
  const { status } = outcome;
  assert.equal(status.code, code, String(status.message));
  if (reason !== undefined) assert.equal(status.reason, reason);
  return status;
}
