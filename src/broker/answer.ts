import { unreachable } from '../base/errors.ts';
import { minimumValidMillis } from '../credentials/refresh-schedule.ts';
import type { Answer, Caller, PodView } from './broker.ts';

/** What a pod is answered, from what is known of it. `now` is wall-clock milliseconds. */
export function answerFor(view: PodView, now: number): Answer {
  const caller: Caller = view;
  const { decision } = view;
  switch (decision.kind) {
    case 'no-role':
      return { kind: 'no-role', caller };
    case 'undecided':
      return { kind: 'undecided', caller };
    case 'forbidden':
    case 'invalid':
      return { kind: 'forbidden', caller, decision };
    case 'granted':
      return answerForSession(view, now);
    default:
      return unreachable(decision);
  }
}

function answerForSession(view: PodView, now: number): Answer {
  const caller: Caller = view;
  const { decision, session } = view;
  if (decision.kind !== 'granted') return { kind: 'undecided', caller };
  const { role } = decision;
  switch (session.kind) {
    case 'pending':
      return { kind: 'pending', caller, role };
    case 'refused':
      return { kind: 'refused', caller, role, problem: { code: session.code, message: session.message } };
    case 'unavailable':
      return { kind: 'unavailable', caller, role, problem: { code: session.code, message: session.message } };
    case 'issued':
      if (session.credentials.expiration - now >= minimumValidMillis) {
        return { kind: 'credentials', caller, role, credentials: session.credentials };
      }
      return { kind: 'unavailable', caller, role, problem: session.problem ?? expired };
    default:
      return unreachable(session);
  }
}

const expired = {
  code: 'ExpiredCredentials',
  message: 'the last credentials have expired and no newer ones have arrived',
};

/** Whether waiting could not change the answer for the better. */
export function isConclusive(answer: Answer, wanted: 'role' | 'credentials'): boolean {
  switch (answer.kind) {
    case 'unknown':
    case 'undecided':
      return false;
    case 'pending':
      return wanted === 'role';
    default:
      return true;
  }
}
