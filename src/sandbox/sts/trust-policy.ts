import { PodpassError } from '../../base/errors.ts';
import { accountOfArn } from './arn.ts';
import { type ConditionContext, conditionsHold, requireRecord, requireTexts } from './condition.ts';
import { coversAction, type PolicyStatement, parseStatements } from './policy-statement.ts';

/** A role's trust policy: who may assume it. */
export interface TrustPolicy {
  readonly statements: readonly TrustStatement[];
}

interface TrustStatement extends PolicyStatement {
  readonly principals: readonly TrustPrincipal[];
}

type TrustPrincipal =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'account'; readonly account: string }
  | { readonly kind: 'aws'; readonly arn: string }
  | { readonly kind: 'federated'; readonly arn: string }
  | { readonly kind: 'service'; readonly service: string };

/** Who asks for a role. */
export type TrustCaller =
  | {
      readonly kind: 'session';
      readonly roleArn: string;
      readonly sessionArn: string;
      readonly account: string;
    }
  | { readonly kind: 'federated'; readonly providerArn: string }
  | { readonly kind: 'service'; readonly service: string };

export type TrustAction = 'sts:AssumeRole' | 'sts:AssumeRoleWithWebIdentity' | 'sts:TagSession';

/**
 * What a trust policy says.
 *
 * `principal`: it names the caller itself. `account`: it names the caller's account only, which on AWS hands the
 * question to that account: the caller needs a permission of its own besides.
 */
export type TrustVerdict = 'principal' | 'account' | 'denied';

/**
 * Reads a trust policy: a parsed document in the very shape that IAM's JSON has.
 *
 * @throws PodpassError ERR_SANDBOX naming what the sandbox cannot evaluate.
 */
export function parseTrustPolicy(document: unknown): TrustPolicy {
  const statements = parseStatements(document, 'the trust policy', 'Principal', (statement, principals) => ({
    ...statement,
    principals: parsePrincipals(principals),
  }));
  return { statements };
}

/** Evaluates as IAM does: a Deny that applies wins, and without an Allow that applies the answer is no. */
export function evaluateTrust(
  policy: TrustPolicy,
  caller: TrustCaller,
  action: TrustAction,
  context: ConditionContext,
): TrustVerdict {
  let verdict: TrustVerdict = 'denied';
  for (const statement of policy.statements) {
    if (!coversAction(statement, action) || !conditionsHold(statement.conditions, context)) continue;
    for (const principal of statement.principals) {
      const match = matchPrincipal(principal, caller);
      if (match === 'denied') continue;
      if (statement.effect === 'Deny') return 'denied';
      if (verdict !== 'principal') verdict = match;
    }
  }
  return verdict;
}

function matchPrincipal(principal: TrustPrincipal, caller: TrustCaller): TrustVerdict {
  switch (principal.kind) {
    case 'anyone':
      return caller.kind === 'session' ? 'principal' : 'denied';
    case 'account':
      return caller.kind === 'session' && caller.account === principal.account ? 'account' : 'denied';
    case 'aws':
      return caller.kind === 'session' && [caller.roleArn, caller.sessionArn].includes(principal.arn)
        ? 'principal'
        : 'denied';
    case 'federated':
      return caller.kind === 'federated' && caller.providerArn === principal.arn ? 'principal' : 'denied';
    case 'service':
      return caller.kind === 'service' && caller.service === principal.service ? 'principal' : 'denied';
  }
}

function parsePrincipals(value: unknown): readonly TrustPrincipal[] {
  if (value === '*') return [{ kind: 'anyone' }];
  return Object.entries(requireRecord(value, 'Principal')).flatMap(([kind, named]) =>
    requireTexts(named, `Principal ${kind}`).map((text) => parsePrincipal(kind, text)),
  );
}

function parsePrincipal(kind: string, text: string): TrustPrincipal {
  switch (kind) {
    case 'AWS':
      return parseAwsPrincipal(text);
    case 'Federated':
      return { kind: 'federated', arn: text };
    case 'Service':
      return { kind: 'service', service: text };
    default:
      throw new PodpassError('ERR_SANDBOX', `Principal has ${kind}; it may have AWS, Federated and Service`);
  }
}

function parseAwsPrincipal(text: string): TrustPrincipal {
  if (text === '*') return { kind: 'anyone' };
  if (/^\d{12}$/.test(text)) return { kind: 'account', account: text };
  if (/^arn:aws[a-z-]*:iam::\d{12}:root$/.test(text)) return { kind: 'account', account: accountOfArn(text) };
  if (/^arn:aws[a-z-]*:(?:iam|sts)::\d{12}:(?:role|assumed-role)\/[^*?]+$/.test(text)) {
    return { kind: 'aws', arn: text };
  }
  // IAM refuses these as well: wildcards in a principal's ARN are not expanded.
  throw new PodpassError(
    'ERR_SANDBOX',
    `Principal AWS ${JSON.stringify(text)} is neither "*", an account id in quotes, the root ARN of an account, ` +
      'nor the whole ARN of one role or session',
  );
}
