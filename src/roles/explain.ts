import { unreachable } from '../base/errors.ts';
import type { Decision, Finding, Refusal } from './decision.ts';

/**
 * A decision as lines for a person: what was decided, each question with what was looked at and what was found, and
 * what to do where something is to be done.
 *
 * ```text
 * Forbidden: the namespace does not permit arn:aws:iam::123456789012:role/reader.
 *   Which role is the pod bound to?
 *     annotation iam.amazonaws.com/role of pod default/web-0: "reader", which is arn:aws:iam::123456789012:role/reader
 *   May it have that role?
 *     annotation iam.amazonaws.com/permitted of namespace default: not set: the namespace permits no role
 *   To permit it, annotate the namespace with iam.amazonaws.com/permitted, so that it matches the role's ARN.
 * ```
 */
export function explainDecision(decision: Decision): readonly string[] {
  const lines = [outcome(decision)];
  let asked: Finding['question'] | undefined;
  for (const { question, lookedAt, found } of decision.findings) {
    if (question !== asked) lines.push(`  ${questions[question]}`);
    lines.push(`    ${lookedAt}: ${found}`);
    asked = question;
  }
  const advice = whatToDo(decision);
  if (advice !== undefined) lines.push(`  ${advice}`);
  return lines;
}

const questions: Readonly<Record<Finding['question'], string>> = {
  role: 'Which role is the pod bound to?',
  permission: 'May it have that role?',
  session: 'What is STS asked for?',
};

function outcome(decision: Decision): string {
  switch (decision.kind) {
    case 'granted':
      return `Granted: ${decision.role.arn} with the session name ${decision.session.sessionName}.`;
    case 'no-role':
      return 'No role: the pod does not ask for one.';
    case 'forbidden':
      return `Forbidden: the namespace does not permit ${decision.role.arn}.`;
    case 'invalid':
      return `Invalid: the annotation ${decision.annotation} of the pod cannot be used.`;
    case 'undecided':
      return 'Undecided: not all of what decides about the pod has been seen yet.';
    default:
      return unreachable(decision);
  }
}

function whatToDo(decision: Decision): string | undefined {
  switch (decision.kind) {
    case 'forbidden':
      return howToPermit(decision.refusal);
    case 'invalid':
      return `Correct the annotation ${decision.annotation} in the pod's template.`;
    case 'undecided':
      return 'It is decided as soon as that is seen; if this lasts, look at the connection to the Kubernetes API.';
    case 'granted':
    case 'no-role':
      return undefined;
    default:
      return unreachable(decision);
  }
}

function howToPermit({ rule, annotation }: Refusal): string {
  switch (rule) {
    case 'missing':
      return `To permit it, annotate the namespace with ${annotation}, so that it matches the role's ARN.`;
    case 'no-match':
      return `To permit it, change the annotation ${annotation} of the namespace so that it matches the role's ARN.`;
    case 'invalid':
      return `Correct the annotation ${annotation} of the namespace; until then it permits no role.`;
    default:
      return unreachable(rule);
  }
}
