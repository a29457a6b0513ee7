import { parseRoleArn } from './arn.ts';
import { sessionLength } from './duration.ts';
import type { FaultDraw } from './faults.ts';
import { failed, type StsOutcome } from './sts-outcome.ts';
import { describeSession, openSession, type StsState } from './sts-state.ts';
import { evaluateTrust } from './trust-policy.ts';
import { validateParameters } from './validation.ts';
import { verifyWebIdentityToken, type WebIdentity } from './web-identity-token.ts';

const action = 'sts:AssumeRoleWithWebIdentity';

/** AssumeRoleWithWebIdentity: a session for whoever holds a token of a registered issuer. The call is not signed. */
export async function assumeRoleWithWebIdentity(
  state: StsState,
  parameters: ReadonlyMap<string, string>,
  earlyExpiry: FaultDraw['earlyExpiry'],
  signal: AbortSignal,
): Promise<StsOutcome> {
  const invalid = validateParameters(parameters, [
    'RoleArn',
    'RoleSessionName',
    'WebIdentityToken',
    'DurationSeconds',
  ]);
  if (invalid) return invalid;
  const roleArn = parameters.get('RoleArn') ?? '';
  const sessionName = parameters.get('RoleSessionName') ?? '';
  const parsed = parseRoleArn(roleArn);
  if (!parsed) return failed(400, 'ValidationError', 'Request ARN is invalid');
  const token = parameters.get('WebIdentityToken') ?? '';
  const verified = await verifyWebIdentityToken(token, state.oidcProviders, state.clock, signal);
  if (verified.kind === 'failed') return verified;
  const { identity } = verified;
  const host = withoutScheme(identity.issuer);
  const providerArn = `arn:${parsed.partition}:iam::${parsed.account}:oidc-provider/${host}`;
  const role = state.roles.get(roleArn);
  const context = conditionContext(host, identity, sessionName);
  if (
    !role ||
    evaluateTrust(role.trustPolicy, { kind: 'federated', providerArn }, action, context) === 'denied'
  ) {
    return failed(403, 'AccessDenied', `Not authorized to perform ${action}`);
  }
  const length = sessionLength({
    requested: parameters.get('DurationSeconds'),
    maxSessionDuration: role.maxSessionDuration,
    // A token is where a chain begins, not a link of one.
    chained: false,
    earlyExpiry,
  });
  if (length.kind === 'failed') return length;
  const session = openSession(state, role, { sessionName, origin: 'web-identity' }, length);
  return {
    kind: 'done',
    result: {
      SubjectFromWebIdentityToken: identity.subject,
      Audience: identity.audiences[0] ?? '',
      Provider: providerArn,
      ...describeSession(session),
    },
  };
}

function conditionContext(host: string, identity: WebIdentity, sessionName: string) {
  return new Map<string, readonly string[]>([
    [`${host}:sub`.toLowerCase(), [identity.subject]],
    [`${host}:aud`.toLowerCase(), identity.audiences],
    ['sts:rolesessionname', [sessionName]],
  ]);
}

/** IAM names a provider by its issuer without the scheme. */
function withoutScheme(issuer: string): string {
  return issuer.replace(/^https?:\/\//, '');
}
