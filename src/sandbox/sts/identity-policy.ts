import { PodpassError } from '../../base/errors.ts';
import {
  type Condition,
  type ConditionContext,
  conditionsHold,
  parseConditions,
  requireRecord,
  requireTexts,
} from './condition.ts';
import { matchesWildcard } from './wildcard.ts';

/** What a role's own permissions say: a policy that is attached to it. */
export interface IdentityPolicy {
  readonly statements: readonly IdentityStatement[];
}

interface IdentityStatement {
  readonly effect: 'Allow' | 'Deny';
  /** May hold wildcards; compared without regard to case. */
  readonly actions: readonly string[];
  /** May hold wildcards. */
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
}

/** `silent`: no statement applies. */
export type IdentityVerdict = 'allowed' | 'denied' | 'silent';

/**
 * Reads a policy that is attached to a role: a parsed document in the shape that IAM's JSON has.
 *
 * @throws PodpassError ERR_SANDBOX naming what the sandbox cannot evaluate.
 */
export function parseIdentityPolicy(document: unknown): IdentityPolicy {
  const { Statement: statement, Version: version } = requireRecord(document, 'the policy');
  if (version !== '2012-10-17') {
    throw new PodpassError('ERR_SANDBOX', 'Version must be the text "2012-10-17"');
  }
  const list: readonly unknown[] = Array.isArray(statement) ? statement : [statement];
  return { statements: list.map(parseStatement) };
}

/** Evaluates as IAM does: a Deny that applies wins over every Allow of every policy. */
export function evaluateIdentity(
  policies: readonly IdentityPolicy[],
  { action, resource, context }: { action: string; resource: string; context: ConditionContext },
): IdentityVerdict {
  const applying = policies
    .flatMap(({ statements }) => statements)
    .filter(
      ({ actions, resources, conditions }) =>
        actions.some((pattern) => matchesWildcard(pattern.toLowerCase(), action.toLowerCase())) &&
        resources.some((pattern) => matchesWildcard(pattern, resource)) &&
        conditionsHold(conditions, context),
    );
  if (applying.some(({ effect }) => effect === 'Deny')) return 'denied';
  return applying.length > 0 ? 'allowed' : 'silent';
}

function parseStatement(value: unknown): IdentityStatement {
  const statement = requireRecord(value, 'a Statement');
  for (const key of Object.keys(statement)) {
    if (!['Sid', 'Effect', 'Action', 'Resource', 'Condition'].includes(key)) {
      throw new PodpassError(
        'ERR_SANDBOX',
        `a Statement has ${key}, which the sandbox does not evaluate; write it with Action, Resource and Condition`,
      );
    }
  }
  const { Effect: effect, Action: action, Resource: resource, Condition: condition } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw new PodpassError('ERR_SANDBOX', 'Effect must be Allow or Deny');
  }
  const resources = requireTexts(resource, 'Resource');
  if (resources.some((pattern) => pattern.includes('${'))) {
    throw new PodpassError(
      'ERR_SANDBOX',
      'Resource has a policy variable, which the sandbox does not evaluate',
    );
  }
  return {
    effect,
    actions: requireTexts(action, 'Action'),
    resources,
    conditions: parseConditions(condition),
  };
}
