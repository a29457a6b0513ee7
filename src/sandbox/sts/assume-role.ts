import { assumedRoleArn, parseRoleArn } from './arn.ts';
import type { ConditionContext } from './condition.ts';
import { sessionLength } from './duration.ts';
import type { FaultDraw } from './faults.ts';
import { evaluateIdentity } from './identity-policy.ts';
import type { SandboxRole } from './sandbox-role.ts';
import type { StsSession } from './session-store.ts';
import { failed, notAuthorized, type StsOutcome } from './sts-outcome.ts';
import { describeSession, openSession, type StsState, trustCallerOf } from './sts-state.ts';
import { evaluateTrust, type TrustAction } from './trust-policy.ts';
import { validateParameters } from './validation.ts';
import { matchesWildcard } from './wildcard.ts';

/** AssumeRole: a session of one role for a session of another. */
export function assumeRole(
  state: StsState,
  caller: StsSession,
  parameters: ReadonlyMap<string, string>,
  earlyExpiry: FaultDraw['earlyExpiry'],
): StsOutcome {
  const invalid = validateParameters(parameters, [
    'RoleArn',
    'RoleSessionName',
    'ExternalId',
    'DurationSeconds',
  ]);
  if (invalid) return invalid;
  const roleArn = parameters.get('RoleArn') ?? '';
  const sessionName = parameters.get('RoleSessionName') ?? '';
  if (!parseRoleArn(roleArn)) return failed(400, 'ValidationError', 'Request ARN is invalid');
  const callerArn = assumedRoleArn(caller.role, caller.sessionName);
  const role = state.roles.get(roleArn);
  if (!role) return notAuthorized(callerArn, 'sts:AssumeRole', roleArn);
  const context = conditionContext(caller, parameters);
  const actions: TrustAction[] = ['sts:AssumeRole'];
  // Whoever passes session tags needs the right to, too.
  if (parameters.has('Tags.member.1.Key')) actions.push('sts:TagSession');
  for (const action of actions) {
    if (!mayAssume(state, caller, role, action, context)) return notAuthorized(callerArn, action, roleArn);
  }
  const length = sessionLength({
    requested: parameters.get('DurationSeconds'),
    maxSessionDuration: role.maxSessionDuration,
    chained: caller.origin !== 'instance',
    earlyExpiry,
  });
  if (length.kind === 'failed') return length;
  const session = openSession(state, role, { sessionName, origin: 'assumed' }, length);
  return { kind: 'done', result: describeSession(session) };
}

function mayAssume(
  state: StsState,
  caller: StsSession,
  role: SandboxRole,
  action: TrustAction,
  context: ConditionContext,
): boolean {
  const verdict = evaluateTrust(role.trustPolicy, trustCallerOf(caller), action, context);
  if (verdict === 'denied') return false;
  const { mayAssume: patterns = [], policies = [] } = state.roles.get(caller.role.arn) ?? {};
  const own = evaluateIdentity(policies, { action, resource: role.arn.arn, context });
  if (own === 'denied') return false;
  if (verdict === 'principal' && caller.role.account === role.arn.account) return true;
  return own === 'allowed' || patterns.some((pattern) => matchesWildcard(pattern, role.arn.arn));
}

function conditionContext(caller: StsSession, parameters: ReadonlyMap<string, string>): ConditionContext {
  const context = new Map<string, readonly string[]>([
    ['sts:rolesessionname', [parameters.get('RoleSessionName') ?? '']],
    ['aws:principalarn', [caller.role.arn]],
    ['aws:principalaccount', [caller.role.account]],
  ]);
  const externalId = parameters.get('ExternalId');
  if (externalId !== undefined) context.set('sts:externalid', [externalId]);
  return context;
}
