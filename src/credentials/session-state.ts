import type { SessionState } from './session.ts';

/** Whether two states say the same: listeners hear of nothing that they have been told already. */
export function isSameState(a: SessionState, b: SessionState): boolean {
  switch (a.kind) {
    case 'pending':
      return b.kind === 'pending';
    case 'issued':
      return (
        b.kind === 'issued' &&
        a.credentials === b.credentials &&
        a.problem?.code === b.problem?.code &&
        a.problem?.message === b.problem?.message
      );
    case 'refused':
    case 'unavailable':
      return b.kind === a.kind && a.code === b.code && a.message === b.message;
  }
}
