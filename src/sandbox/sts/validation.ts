import { failed, type StsFailure } from './sts-outcome.ts';

interface TextRule {
  /** As STS's messages write the member: `roleSessionName`. */
  readonly member: string;
  readonly required?: boolean;
  readonly min: number;
  readonly max: number;
  /** The pattern as STS's model and its messages write it. */
  readonly pattern?: string;
}

interface IntegerRule {
  readonly member: string;
  readonly min: number;
  readonly max: number;
}

/** Lengths and patterns of STS's service model, the same that its SDKs carry. */
const textRules = {
  RoleArn: { member: 'roleArn', required: true, min: 20, max: 2048 },
  RoleSessionName: {
    member: 'roleSessionName',
    required: true,
    min: 2,
    max: 64,
    pattern: '[\\w+=,.@-]*',
  },
  ExternalId: { member: 'externalId', min: 2, max: 1224, pattern: '[\\w+=,.@:\\/-]*' },
  WebIdentityToken: { member: 'webIdentityToken', required: true, min: 4, max: 20_000 },
} as const satisfies Record<string, TextRule>;

const integerRules = {
  DurationSeconds: { member: 'durationSeconds', min: 900, max: 43_200 },
} as const satisfies Record<string, IntegerRule>;

export type ValidatedParameter = keyof typeof textRules | keyof typeof integerRules;

/** Checks the parameters named, and reports all that is wrong in one ValidationError, as STS does. */
export function validateParameters(
  parameters: ReadonlyMap<string, string>,
  names: readonly ValidatedParameter[],
): StsFailure | undefined {
  const violations = names.flatMap((name) => {
    const value = parameters.get(name);
    return name === 'DurationSeconds'
      ? integerViolations(integerRules[name], value)
      : textViolations(textRules[name], value);
  });
  if (violations.length === 0) return undefined;
  const noun = violations.length === 1 ? 'validation error' : 'validation errors';
  return failed(400, 'ValidationError', `${violations.length} ${noun} detected: ${violations.join('; ')}`);
}

function textViolations(rule: TextRule, value: string | undefined): string[] {
  if (value === undefined) return rule.required ? [violation('null', rule.member, 'must not be null')] : [];
  // A token is a secret, and its length says all there is to say.
  const shown = rule.member === 'webIdentityToken' ? 'null' : `'${value}'`;
  const found: string[] = [];
  if (rule.pattern && !new RegExp(`^(?:${rule.pattern})$`).test(value)) {
    found.push(violation(shown, rule.member, `must satisfy regular expression pattern: ${rule.pattern}`));
  }
  if (value.length < rule.min) {
    found.push(violation(shown, rule.member, `must have length greater than or equal to ${rule.min}`));
  }
  if (value.length > rule.max) {
    found.push(violation(shown, rule.member, `must have length less than or equal to ${rule.max}`));
  }
  return found;
}

function integerViolations(rule: IntegerRule, value: string | undefined): string[] {
  if (value === undefined) return [];
  if (!/^-?\d{1,15}$/.test(value)) return [violation(`'${value}'`, rule.member, 'must be an integer')];
  const number = Number(value);
  if (number < rule.min) {
    return [violation(`'${value}'`, rule.member, `must have value greater than or equal to ${rule.min}`)];
  }
  if (number > rule.max) {
    return [violation(`'${value}'`, rule.member, `must have value less than or equal to ${rule.max}`)];
  }
  return [];
}

function violation(shown: string, member: string, constraint: string): string {
  return `Value ${shown} at '${member}' failed to satisfy constraint: Member ${constraint}`;
}
