import { PodpassError } from '../../base/errors.ts';
import { matchesWildcard } from './wildcard.ts';

const operators = {
  StringEquals: { negated: false, matches: (pattern: string, value: string) => pattern === value },
  StringNotEquals: { negated: true, matches: (pattern: string, value: string) => pattern === value },
  StringLike: { negated: false, matches: matchesWildcard },
  StringNotLike: { negated: true, matches: matchesWildcard },
} as const;

type Operator = keyof typeof operators;

/** One key of a policy's Condition block. All of a statement's conditions must hold. */
export interface Condition {
  readonly operator: Operator;
  /** Holds when the request has no such key at all. */
  readonly ifExists: boolean;
  /** In lower case: IAM compares keys without regard to case. */
  readonly key: string;
  readonly values: readonly string[];
}

/** What is known of a request, by condition key in lower case. A key may have several values (`aud` of a token). */
export type ConditionContext = ReadonlyMap<string, readonly string[]>;

const knownKeys = new Set([
  'sts:externalid',
  'sts:rolesessionname',
  'aws:principalarn',
  'aws:principalaccount',
]);

/**
 * Reads a Condition block: `{ StringEquals: { 'sts:ExternalId': 'x' } }`.
 *
 * @throws PodpassError ERR_SANDBOX for an operator or key that the sandbox would not evaluate: to pass over it in
 * silence would make a policy that works here and not on AWS, or the other way round.
 */
export function parseConditions(block: unknown): readonly Condition[] {
  if (block === undefined) return [];
  return Object.entries(requireRecord(block, 'Condition')).flatMap(([operatorText, keys]) => {
    const ifExists = operatorText.endsWith('IfExists');
    const operator = ifExists ? operatorText.slice(0, -'IfExists'.length) : operatorText;
    if (!isOperator(operator)) {
      const known = Object.keys(operators).join(', ');
      throw new PodpassError(
        'ERR_SANDBOX',
        `Condition uses ${operatorText}, which the sandbox does not know; it knows ${known}, each also with IfExists`,
      );
    }
    return Object.entries(requireRecord(keys, operatorText)).map(([key, value]) => ({
      operator,
      ifExists,
      key: requireKey(key),
      values: requireTexts(value, `${operatorText} ${key}`),
    }));
  });
}

/** Whether every condition holds for the request. */
export function conditionsHold(conditions: readonly Condition[], context: ConditionContext): boolean {
  return conditions.every((condition) => conditionHolds(condition, context.get(condition.key)));
}

/** IAM's rule for a key that the request lacks: a negated operator holds, any other does only with IfExists. */
function conditionHolds(condition: Condition, present: readonly string[] | undefined): boolean {
  const { negated, matches } = operators[condition.operator];
  if (!present?.length) return negated || condition.ifExists;
  const found = present.some((value) => condition.values.some((pattern) => matches(pattern, value)));
  return found !== negated;
}

function isOperator(text: string): text is Operator {
  return Object.hasOwn(operators, text);
}

function requireKey(key: string): string {
  const lower = key.toLowerCase();
  if (knownKeys.has(lower) || /^.+:(?:sub|aud)$/.test(lower)) return lower;
  throw new PodpassError(
    'ERR_SANDBOX',
    `Condition uses the key ${key}, which the sandbox does not know; it knows sts:ExternalId, sts:RoleSessionName, ` +
      'aws:PrincipalArn, aws:PrincipalAccount, and <issuer>:sub and <issuer>:aud',
  );
}

/** @throws PodpassError ERR_SANDBOX when `value` is not a mapping. */
export function requireRecord(value: unknown, what: string): Record<string, unknown> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return { ...value };
  throw new PodpassError('ERR_SANDBOX', `${what} is not a mapping`);
}

/** One text or a list of them, as IAM writes most things. @throws PodpassError ERR_SANDBOX */
export function requireTexts(value: unknown, what: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((entry) => typeof entry === 'string');
  if (texts.length === list.length && texts.length > 0) return texts;
  throw new PodpassError('ERR_SANDBOX', `${what} is not a text or a list of texts; put numbers in quotes`);
}
