import { PodpassError } from '../../base/errors.ts';
import { type Condition, parseConditions, requireRecord, requireTexts } from './condition.ts';
import { matchesWildcard } from './wildcard.ts';

/** What a statement has in every kind of policy. */
export interface PolicyStatement {
  readonly effect: 'Allow' | 'Deny';
  /** May hold wildcards; compared without regard to case. */
  readonly actions: readonly string[];
  readonly conditions: readonly Condition[];
}

/**
 * Reads the statements of a parsed policy document, in the shape that IAM's JSON has.
 *
 * @param what names the document in errors: `the trust policy`
 * @param own the one key that statements of this kind of policy have besides those of all
 * @param parse gives what is made of a statement: its common part and the value of its own key
 * @throws PodpassError ERR_SANDBOX naming what the sandbox cannot evaluate.
 */
export function parseStatements<T>(
  document: unknown,
  what: string,
  own: 'Principal' | 'Resource',
  parse: (statement: PolicyStatement, value: unknown) => T,
): readonly T[] {
  const { Statement: statement, Version: version } = requireRecord(document, what);
  if (version !== '2012-10-17') {
    throw new PodpassError('ERR_SANDBOX', 'Version must be the text "2012-10-17"');
  }
  const list: readonly unknown[] = Array.isArray(statement) ? statement : [statement];
  return list.map((value) => {
    const record = requireRecord(value, 'a Statement');
    return parse(parseCommon(record, own), record[own]);
  });
}

function parseCommon(statement: Readonly<Record<string, unknown>>, own: string): PolicyStatement {
  for (const key of Object.keys(statement)) {
    if (!['Sid', 'Effect', own, 'Action', 'Condition'].includes(key)) {
      throw new PodpassError(
        'ERR_SANDBOX',
        `a Statement has ${key}, which the sandbox does not evaluate; write it with ${own}, Action and Condition`,
      );
    }
  }
  const { Effect: effect, Action: action, Condition: condition } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw new PodpassError('ERR_SANDBOX', 'Effect must be Allow or Deny');
  }
  return { effect, actions: requireTexts(action, 'Action'), conditions: parseConditions(condition) };
}

/** Whether a statement speaks of an action: `sts:AssumeRole`. */
export function coversAction({ actions }: PolicyStatement, action: string): boolean {
  return actions.some((pattern) => matchesWildcard(pattern.toLowerCase(), action.toLowerCase()));
}
