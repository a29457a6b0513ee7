import { unreachable } from '../base/errors.ts';
import type { PodView } from '../broker/broker.ts';
import type { SessionState, StsProblem } from '../credentials/session.ts';
import type { BoundRole, Decision, Finding, Refusal } from '../roles/decision.ts';
import * as wire from './gen/podpass.ts';

/** What a message from the other side came to. */
export type FromWire<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** It does not say what it must. `problem` names the field. */
  | { readonly kind: 'malformed'; readonly problem: string };

/**
 * A pod as the wire carries it. An external id stays behind: an agent has no use for it.
 *
 * @param now monotonic milliseconds of this process, here and below: what may be served for how long is told as a span
 */
export function podToMessage(view: PodView, now: number): wire.Pod {
  return {
    uid: view.uid,
    namespace: view.namespace,
    name: view.name,
    nodeName: view.nodeName,
    addresses: [...view.addresses],
    decision: decisionToMessage(view.decision),
    session: sessionToMessage(view.session, now),
  };
}

function decisionToMessage(decision: Decision): wire.Decision {
  return { outcome: outcomeToMessage(decision), findings: decision.findings.map(findingToMessage) };
}

function outcomeToMessage(decision: Decision): wire.Decision['outcome'] {
  switch (decision.kind) {
    case 'granted':
      return {
        $case: 'granted',
        value: {
          role: { ...decision.role },
          sessionName: decision.session.sessionName,
          hasExternalId: decision.session.externalId !== undefined || decision.session.hasExternalId === true,
        },
      };
    case 'no-role':
      return { $case: 'noRole', value: {} };
    case 'forbidden':
      return {
        $case: 'forbidden',
        value: { role: { ...decision.role }, refusal: refusalToMessage(decision.refusal) },
      };
    case 'invalid':
      return { $case: 'invalid', value: { annotation: decision.annotation, problem: decision.problem } };
    case 'undecided':
      return { $case: 'undecided', value: {} };
    default:
      return unreachable(decision);
  }
}

const ruleNumbers = {
  missing: wire.Refusal_Rule.RULE_MISSING,
  'no-match': wire.Refusal_Rule.RULE_NO_MATCH,
  invalid: wire.Refusal_Rule.RULE_INVALID,
} as const satisfies Record<Refusal['rule'], wire.Refusal_Rule>;

function refusalToMessage(refusal: Refusal): wire.Refusal {
  return {
    rule: ruleNumbers[refusal.rule],
    annotation: refusal.annotation,
    expression: refusal.rule === 'missing' ? '' : refusal.expression,
    problem: refusal.rule === 'invalid' ? refusal.problem : '',
  };
}

const questionNumbers = {
  role: wire.Finding_Question.QUESTION_ROLE,
  permission: wire.Finding_Question.QUESTION_PERMISSION,
  session: wire.Finding_Question.QUESTION_SESSION,
} as const satisfies Record<Finding['question'], wire.Finding_Question>;

function findingToMessage({ question, lookedAt, found }: Finding): wire.Finding {
  return { question: questionNumbers[question], lookedAt, found };
}

function sessionToMessage(session: SessionState, now: number): wire.Session {
  switch (session.kind) {
    case 'pending':
      return { state: { $case: 'pending', value: {} } };
    case 'issued': {
      const { credentials, problem } = session;
      return {
        state: {
          $case: 'issued',
          value: {
            accessKeyId: credentials.accessKeyId,
            secretAccessKey: credentials.secretAccessKey,
            sessionToken: credentials.sessionToken,
            expirationMillis: credentials.expiration,
            issuedAtMillis: credentials.issuedAt,
            leftMillis: boundedLife(credentials.goodUntil - now),
            problem: problem && problemToMessage(problem),
          },
        },
      };
    }
    case 'refused':
      return { state: { $case: 'refused', value: problemToMessage(session) } };
    case 'unavailable':
      return { state: { $case: 'unavailable', value: problemToMessage(session) } };
    default:
      return unreachable(session);
  }
}

/** What credentials may have left, on both sides: never more than a session can be, 12 hours, and never 0, which says nothing. */
function boundedLife(millis: number): number {
  return Math.floor(Math.min(Math.max(millis, 1), 43_200_000));
}

function problemToMessage({ code, message }: StsProblem): wire.Problem {
  return { code, message };
}

/**
 * Reads a pod that a server sent. What an agent decides by must be there and be understood; a pod of a newer server
 * that says something this agent does not know is malformed, and its caller gets nothing.
 */
export function podFromMessage(message: wire.Pod, now: number): FromWire<PodView> {
  const { uid, namespace, name, nodeName, addresses } = message;
  if (uid === '' || namespace === '' || name === '') return malformed('identity');
  if (addresses.includes('')) return malformed('addresses');
  const decision = decisionFromMessage(message.decision);
  if (decision.kind === 'malformed') return decision;
  const session = sessionFromMessage(message.session, now);
  if (session.kind === 'malformed') return session;
  return ok({
    uid,
    namespace,
    name,
    nodeName,
    addresses: [...addresses],
    decision: decision.value,
    session: session.value,
  });
}

function decisionFromMessage(message: wire.Decision | undefined): FromWire<Decision> {
  const outcome = message?.outcome;
  if (!message || !outcome) return malformed('decision');
  // A question that a newer server asks is no reason to refuse: findings explain, they do not decide.
  const findings = message.findings.flatMap(findingFromMessage);
  switch (outcome.$case) {
    case 'granted': {
      const role = roleFromMessage(outcome.value.role);
      const { sessionName, hasExternalId } = outcome.value;
      if (!role) return malformed('decision.granted.role');
      const session = { sessionName, ...(hasExternalId && { hasExternalId }) };
      return ok({ kind: 'granted', role, session, findings });
    }
    case 'noRole':
      return ok({ kind: 'no-role', findings });
    case 'forbidden': {
      const role = roleFromMessage(outcome.value.role);
      const refusal = refusalFromMessage(outcome.value.refusal);
      if (!role) return malformed('decision.forbidden.role');
      if (!refusal) return malformed('decision.forbidden.refusal');
      return ok({ kind: 'forbidden', role, refusal, findings });
    }
    case 'invalid': {
      const { annotation, problem } = outcome.value;
      return ok({ kind: 'invalid', annotation, problem, findings });
    }
    case 'undecided':
      return ok({ kind: 'undecided', findings });
    default:
      return unreachable(outcome);
  }
}

function roleFromMessage(message: wire.Role | undefined): BoundRole | undefined {
  if (!message || message.name === '' || message.arn === '') return undefined;
  return { name: message.name, arn: message.arn };
}

function refusalFromMessage(message: wire.Refusal | undefined): Refusal | undefined {
  if (!message) return undefined;
  const { rule, annotation, expression, problem } = message;
  switch (rule) {
    case wire.Refusal_Rule.RULE_MISSING:
      return { rule: 'missing', annotation };
    case wire.Refusal_Rule.RULE_NO_MATCH:
      return { rule: 'no-match', annotation, expression };
    case wire.Refusal_Rule.RULE_INVALID:
      return { rule: 'invalid', annotation, expression, problem };
    default:
      return undefined;
  }
}

function findingFromMessage({ question, lookedAt, found }: wire.Finding): Finding[] {
  switch (question) {
    case wire.Finding_Question.QUESTION_ROLE:
      return [{ question: 'role', lookedAt, found }];
    case wire.Finding_Question.QUESTION_PERMISSION:
      return [{ question: 'permission', lookedAt, found }];
    case wire.Finding_Question.QUESTION_SESSION:
      return [{ question: 'session', lookedAt, found }];
    default:
      return [];
  }
}

function sessionFromMessage(message: wire.Session | undefined, now: number): FromWire<SessionState> {
  const state = message?.state;
  if (!state) return malformed('session');
  switch (state.$case) {
    case 'pending':
      return ok({ kind: 'pending' });
    case 'issued':
      return issuedFromMessage(state.value, now);
    case 'refused':
      return ok({ kind: 'refused', ...problemFromMessage(state.value) });
    case 'unavailable':
      return ok({ kind: 'unavailable', ...problemFromMessage(state.value) });
    default:
      return unreachable(state);
  }
}

function issuedFromMessage(message: wire.Issued, now: number): FromWire<SessionState> {
  const {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expirationMillis,
    issuedAtMillis,
    leftMillis,
    problem,
  } = message;
  if (accessKeyId === '' || secretAccessKey === '' || sessionToken === '') {
    return malformed('session.issued credentials');
  }
  if (!isDate(expirationMillis) || !isDate(issuedAtMillis)) return malformed('session.issued times');
  const credentials = {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expiration: expirationMillis,
    issuedAt: issuedAtMillis,
    // From a server that does not say: no longer than they live in all.
    goodUntil: now + boundedLife(leftMillis > 0 ? leftMillis : expirationMillis - issuedAtMillis),
  };
  if (!problem) return ok({ kind: 'issued', credentials });
  return ok({ kind: 'issued', credentials, problem: problemFromMessage(problem) });
}

/** What `new Date` can hold, and not before 1970: a door writes it as a date without a further look. */
function isDate(millis: number): boolean {
  return Number.isInteger(millis) && millis > 0 && millis <= 8.64e15;
}

function problemFromMessage({ code, message }: wire.Problem): StsProblem {
  return { code, message };
}

function ok<T>(value: T): FromWire<T> {
  return { kind: 'ok', value };
}

function malformed<T>(field: string): FromWire<T> {
  return { kind: 'malformed', problem: `${field} is missing or not known to this version` };
}
