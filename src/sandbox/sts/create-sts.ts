import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import { PodpassError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Credentials } from '../../credentials/session.ts';
import { assumedRoleArn } from './arn.ts';
import { assumeRole } from './assume-role.ts';
import { assumeRoleWithWebIdentity } from './assume-role-with-web-identity.ts';
import { authenticate } from './authenticate.ts';
import { createCallLog, type StsCallRecord } from './call-log.ts';
import { createFaults, type FaultDraw, type StsFaults } from './faults.ts';
import { getCallerIdentity } from './get-caller-identity.ts';
import { type ListeningSts, listenSts } from './listen-sts.ts';
import { requestId } from './mint.ts';
import { parseQueryRequest, type StsCall } from './query-request.ts';
import type { SandboxRole } from './sandbox-role.ts';
import { createSessionStore, type StsSession } from './session-store.ts';
import type { StsHttpRequest, StsReply } from './sts-http.ts';
import { failed, notAuthorized, type StsFailure, type StsOutcome, throttled } from './sts-outcome.ts';
import { openSession, type StsState } from './sts-state.ts';
import { evaluateTrust } from './trust-policy.ts';
import type { OidcProvider } from './web-identity-token.ts';
import { writeXml } from './xml.ts';

export interface StsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly roles: Iterable<SandboxRole>;
  /** By issuer URL, as tokens have it in `iss`. Default: none. */
  readonly oidcProviders?: ReadonlyMap<string, OidcProvider>;
}

/** A small STS. It keeps everything in memory. */
export interface Sts {
  /** By ARN. A role that is set, changed or deleted here counts from the next call on. */
  readonly roles: Map<string, SandboxRole>;
  readonly faults: StsFaults;
  /** The latest calls, oldest first; bounded. */
  readonly calls: readonly StsCallRecord[];
  /**
   * Issues credentials of a role as EC2 does for an instance, to be served by a metadata service.
   *
   * @throws PodpassError ERR_SANDBOX when there is no such role or it does not trust `ec2.amazonaws.com`.
   */
  issueFor(
    roleArn: string,
    options: { readonly sessionName: string; readonly durationSeconds?: number },
  ): Credentials;
  /** Answers one request. The signal cancels a delay. */
  handle(request: StsHttpRequest, signal: AbortSignal): Promise<StsReply>;
  /**
   * Serves on an address; port 0 takes a free one.
   *
   * @throws PodpassError ERR_LISTEN
   */
  listen(host: string, port: number): Promise<ListeningSts>;
}

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';
const actions = ['AssumeRole', 'AssumeRoleWithWebIdentity', 'GetCallerIdentity'] as const;
type Action = (typeof actions)[number];

/** Six hours, which is what EC2 gives an instance. */
const instanceSessionSeconds = 21_600;

/**
 * Makes an STS for the sandbox: AssumeRole, AssumeRoleWithWebIdentity and GetCallerIdentity in AWS's Query protocol,
 * with signatures verified and trust policies evaluated, so that what is refused on AWS is refused here in the same
 * words. Credentials are known to this STS alone.
 *
 * @example
 * ```ts
 * const sts = createSts({ clock: systemClock, random: systemRandom, roles: rolesFile.roles.values() });
 * const { url, close } = await sts.listen('127.0.0.1', 0);
 * sts.faults.add({ kind: 'throttle', times: 3 });
 * ```
 */
export function createSts(options: StsOptions): Sts {
  const { clock, random } = options;
  const roles = new Map(Array.from(options.roles, (role) => [role.arn.arn, role]));
  const faults = createFaults(random);
  const log = createCallLog();
  const state: StsState = {
    clock,
    random,
    roles,
    sessions: createSessionStore(clock),
    oidcProviders: options.oidcProviders ?? new Map(),
  };

  async function handle(request: StsHttpRequest, signal: AbortSignal): Promise<StsReply> {
    const parsed = parseQueryRequest(request);
    if (parsed.kind === 'failed') return respond('', parsed);
    const { call } = parsed;
    if (!isAction(call.action)) {
      const message = `Could not find operation ${call.action} for version 2011-06-15`;
      return respond('', failed(400, 'InvalidAction', message));
    }
    let caller: StsSession | undefined;
    if (call.action !== 'AssumeRoleWithWebIdentity') {
      const authenticated = await authenticate(request, call, state);
      if (authenticated.kind === 'failed') return respond(call.action, authenticated, call);
      caller = authenticated.session;
    }
    const struck = faults.draw(call.parameters.get('RoleArn'));
    if (struck.delayMillis > 0) await sleep(clock, struck.delayMillis, signal);
    if (struck.ending?.kind === 'reset') {
      record(call, caller, 'ConnectionReset');
      return { kind: 'reset' };
    }
    const outcome = struck.ending
      ? faultOutcome(struck.ending, call, caller)
      : await act(call.action, call.parameters, caller, struck.earlyExpiry, signal);
    return respond(call.action, outcome, call, caller);
  }

  async function act(
    action: Action,
    parameters: ReadonlyMap<string, string>,
    caller: StsSession | undefined,
    earlyExpiry: FaultDraw['earlyExpiry'],
    signal: AbortSignal,
  ): Promise<StsOutcome> {
    if (!caller) return await assumeRoleWithWebIdentity(state, parameters, earlyExpiry, signal);
    return action === 'AssumeRole'
      ? assumeRole(state, caller, parameters, earlyExpiry)
      : getCallerIdentity(caller);
  }

  function record({ action, parameters }: StsCall, caller: StsSession | undefined, outcome: string): void {
    const roleArn = parameters.get('RoleArn');
    const sessionName = parameters.get('RoleSessionName');
    log.add({
      at: clock.now(),
      action,
      ...(caller && { caller: assumedRoleArn(caller.role, caller.sessionName) }),
      ...(roleArn !== undefined && { roleArn }),
      ...(sessionName !== undefined && { sessionName }),
      outcome,
    });
  }

  function respond(action: string, outcome: StsOutcome, call?: StsCall, caller?: StsSession): StsReply {
    if (call) record(call, caller, outcome.kind === 'done' ? 'ok' : outcome.code);
    const id = requestId(random);
    if (outcome.kind === 'failed') {
      return { kind: 'response', status: outcome.status, requestId: id, body: writeFailure(outcome, id) };
    }
    const body = writeXml(
      `${action}Response`,
      { [`${action}Result`]: outcome.result, ResponseMetadata: { RequestId: id } },
      namespace,
    );
    return { kind: 'response', status: 200, requestId: id, body };
  }

  return {
    roles,
    faults,
    get calls() {
      return log.records;
    },
    handle,
    listen: (host, port) => listenSts(handle, host, port),
    issueFor(roleArn, { sessionName, durationSeconds = instanceSessionSeconds }) {
      const role = roles.get(roleArn);
      if (!role) {
        const text = `there is no role ${roleArn} to give to the instance ${sessionName}: add it to roles.yaml`;
        throw new PodpassError('ERR_SANDBOX', text);
      }
      const caller = { kind: 'service', service: 'ec2.amazonaws.com' } as const;
      if (evaluateTrust(role.trustPolicy, caller, 'sts:AssumeRole', new Map()) === 'denied') {
        const text =
          `the role ${roleArn} cannot be given to the instance ${sessionName}, because it does not trust ` +
          'ec2.amazonaws.com: add a Statement with that Service as Principal to its trust policy';
        throw new PodpassError('ERR_SANDBOX', text);
      }
      const length = { statedSeconds: durationSeconds, endsAfterSeconds: durationSeconds };
      return openSession(state, role, { sessionName, origin: 'instance' }, length).credentials;
    },
  };
}

function isAction(action: string): action is Action {
  return actions.some((known) => known === action);
}

function faultOutcome(
  fault: FaultDraw['ending'] & { kind: 'throttle' | 'refuse' | 'server-error' },
  call: StsCall,
  caller: StsSession | undefined,
): StsFailure {
  switch (fault.kind) {
    case 'throttle':
      return throttled();
    case 'refuse':
      return caller
        ? notAuthorized(
            assumedRoleArn(caller.role, caller.sessionName),
            `sts:${call.action}`,
            call.parameters.get('RoleArn') ?? '*',
          )
        : failed(403, 'AccessDenied', `Not authorized to perform sts:${call.action}`);
    case 'server-error':
      return fault.status === 503
        ? failed(503, 'ServiceUnavailable', 'The service is unavailable. Please retry.')
        : failed(500, 'InternalFailure', 'The request processing has failed because of an unknown error.');
  }
}

function writeFailure({ status, code, message }: StsFailure, id: string): string {
  const type = status < 500 ? 'Sender' : 'Receiver';
  return writeXml(
    'ErrorResponse',
    { Error: { Type: type, Code: code, Message: message }, RequestId: id },
    namespace,
  );
}
