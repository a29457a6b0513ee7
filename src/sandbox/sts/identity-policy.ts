import { PodpassError } from '../../base/errors.ts';
import { type ConditionContext, conditionsHold, requireTexts } from './condition.ts';
import { coversAction, type PolicyStatement, parseStatements } from './policy-statement.ts';
import { matchesWildcard } from './wildcard.ts';

/** What a role's own permissions say: a policy that is attached to it. */
export interface IdentityPolicy {
  readonly statements: readonly IdentityStatement[];
}

interface IdentityStatement extends PolicyStatement {
  /** May hold wildcards. */
  readonly resources: readonly string[];
}

/** `silent`: no statement applies. */
export type IdentityVerdict = 'allowed' | 'denied' | 'silent';

/**
 * Reads a policy that is attached to a role: a parsed document in the shape that IAM's JSON has.
 *
 * @throws PodpassError ERR_SANDBOX naming what the sandbox cannot evaluate.
 */
export function parseIdentityPolicy(document: unknown): IdentityPolicy {
  const statements = parseStatements(document, 'the policy', 'Resource', (statement, resources) => ({
    ...statement,
    resources: parseResources(resources),
  }));
  return { statements };
}

/** Evaluates as IAM does: a Deny that applies wins over every Allow of every policy. */
export function evaluateIdentity(
  policies: readonly IdentityPolicy[],
  { action, resource, context }: { action: string; resource: string; context: ConditionContext },
): IdentityVerdict {
  const applying = policies
    .flatMap(({ statements }) => statements)
    .filter(
      (statement) =>
        coversAction(statement, action) &&
        statement.resources.some((pattern) => matchesWildcard(pattern, resource)) &&
        conditionsHold(statement.conditions, context),
    );
  if (applying.some(({ effect }) => effect === 'Deny')) return 'denied';
  return applying.length > 0 ? 'allowed' : 'silent';
}

function parseResources(value: unknown): readonly string[] {
  const resources = requireTexts(value, 'Resource');
  if (resources.some((pattern) => pattern.includes('${'))) {
    throw new PodpassError(
      'ERR_SANDBOX',
      'Resource has a policy variable, which the sandbox does not evaluate',
    );
  }
  return resources;
}
