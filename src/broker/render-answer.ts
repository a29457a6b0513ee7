import { unreachable } from '../base/errors.ts';
import type { Decision, Refusal } from '../roles/decision.ts';
import type { Answer, Caller } from './broker.ts';

/** Why there are no credentials, as HTTP bodies, Kubernetes events and log lines say it. */
export interface Explanation {
  /** Stable, one word: `RoleForbidden`. STS's own code where STS refused. */
  readonly code: string;
  /** One line, printable, at most 1,024 characters: what happened, to what, and what to do. */
  readonly message: string;
}

/** A decision that denies. */
export type Denial = Decision & { readonly kind: 'forbidden' | 'invalid' };

/** Kubernetes takes 1,024 characters in the message of an event. */
const longestMessage = 1_024;
/** Of text that somebody else wrote, no more than this is repeated. */
const longestQuote = 256;

/** Explains every answer that is not credentials. */
export function renderAnswer(answer: Exclude<Answer, { kind: 'credentials' }>): Explanation {
  switch (answer.kind) {
    case 'forbidden':
      return renderDenial(answer.caller, answer.decision);
    case 'no-role':
      return explain(
        'NoRole',
        `${podOf(answer.caller)} has no role. Annotate it with the role it shall have.`,
      );
    case 'refused':
      return explain(
        answer.problem.code,
        `STS refuses ${podOf(answer.caller)} the role ${printable(answer.role.arn)}: ${sentence(printable(answer.problem.message))} ` +
          'Check that the role exists and that its trust policy names the role podpass runs as.',
      );
    case 'unavailable':
      return explain(
        'CredentialsUnavailable',
        `no valid credentials for ${podOf(answer.caller)} and role ${printable(answer.role.arn)} right now ` +
          `(${printable(answer.problem.code)}: ${printable(answer.problem.message)}). Try again.`,
      );
    case 'pending':
      return explain(
        'CredentialsPending',
        `the credentials of ${podOf(answer.caller)} for role ${printable(answer.role.arn)} are being fetched. Try again.`,
      );
    case 'undecided':
      return explain(
        'PodUndecided',
        `what decides about ${podOf(answer.caller)} is not known yet. Try again.`,
      );
    case 'unknown':
      return explain(
        'PodUnknown',
        `no running pod is known at ${printable(answer.address)} yet. Try again. ` +
          'Pods on the host network and finished pods are never identified by address.',
      );
    case 'ambiguous':
      return explain(
        'AddressAmbiguous',
        `more than one running pod claims ${printable(answer.address)}: ` +
          `${answer.claimants.slice(0, 5).map(podOf).join(', ')}. None is answered until one of them owns it alone.`,
      );
    default:
      return unreachable(answer);
  }
}

/** Explains why policy, or an annotation that cannot be used, denies a pod its role. */
export function renderDenial(caller: Caller, decision: Denial): Explanation {
  switch (decision.kind) {
    case 'forbidden':
      return explain(
        'RoleForbidden',
        `${podOf(caller)} may not have the role ${printable(decision.role.name)}: ${renderRefusal(caller, decision)}`,
      );
    case 'invalid':
      return explain(
        'AnnotationInvalid',
        `annotation ${printable(decision.annotation)} of ${podOf(caller)} cannot be used: ` +
          `${printable(decision.problem)}. Correct the annotation.`,
      );
    default:
      return unreachable(decision);
  }
}

function renderRefusal(caller: Caller, { role, refusal }: Denial & { readonly kind: 'forbidden' }): string {
  const annotation = printable(refusal.annotation);
  const namespace = `namespace ${printable(caller.namespace)}`;
  switch (refusal.rule) {
    case 'missing':
      return `${namespace} has no annotation ${annotation}, or an empty one. Set it so that it matches ${printable(role.arn)}.`;
    case 'no-match':
      return (
        `annotation ${annotation} of ${namespace} is ${quoted(refusal.expression)}, which does not match the role. ` +
        'Permit the role there, or bind the pod to another.'
      );
    case 'invalid':
      return `${invalidRule(caller.namespace, refusal)} Correct it.`;
    default:
      return unreachable(refusal);
  }
}

/** A namespace's rule that cannot be read. */
type InvalidRule = Refusal & { readonly rule: 'invalid' };

/** Says the same to whoever looks after the namespace, in one line of at most 1,024 characters. */
export function renderInvalidRule(namespaceName: string, refusal: InvalidRule): string {
  const message = `${invalidRule(namespaceName, refusal)} It permits no role until it is corrected.`;
  return shorten(message, longestMessage);
}

function invalidRule(namespaceName: string, { annotation, expression, problem }: InvalidRule): string {
  return (
    `annotation ${printable(annotation)} of namespace ${printable(namespaceName)} is ${quoted(expression)}, ` +
    `which cannot be used: ${printable(problem)}.`
  );
}

function podOf(caller: Caller): string {
  return `pod ${printable(caller.namespace)}/${printable(caller.name)}`;
}

function explain(code: string, message: string): Explanation {
  return { code: printable(code), message: shorten(message, longestMessage) };
}

function quoted(text: string): string {
  return `"${printable(text)}"`;
}

/** Text from elsewhere: bounded, and on one line. Control, format and separator characters could forge log lines. */
function printable(text: string): string {
  return shorten(text, longestQuote).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '�');
}

function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1)}…`;
}

/** STS's messages end with a full stop or without one. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
