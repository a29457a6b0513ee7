import type { SessionIdentity } from './session.ts';

/**
 * The key under which a session is cached: everything in its identity, as a JSON array, so that no choice of names can
 * make two identities look alike (kiam joined with `|`, which an annotation may contain).
 *
 * The key holds the external id: keep it in memory, never write it anywhere.
 */
export function sessionKey(identity: SessionIdentity): string {
  const { roleArn, sessionName, externalId, ...rest } = identity;
  // A property added to the identity stops this line from compiling until it is part of the key.
  rest satisfies Record<string, never>;
  return JSON.stringify([roleArn, sessionName, externalId ?? null]);
}

const accountPattern = /^arn:[^:]*:iam::(\d{12}):/;

/** The account a role lives in, or the empty string where the ARN names none: budgets are kept for each. */
export function accountOfRole(roleArn: string): string {
  return accountPattern.exec(roleArn)?.[1] ?? '';
}
