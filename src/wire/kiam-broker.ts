import { status } from '@grpc/grpc-js';
import { createBackoff } from '../base/backoff.ts';
import { bounded } from '../base/bounded.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { unreachable } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { isConclusive } from '../broker/answer.ts';
import type { Answer, Broker, Caller, PatientOptions } from '../broker/broker.ts';
import { canonicalAddress } from '../identity/address.ts';
import type { BoundRole } from '../roles/decision.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Credentials as CredentialsMessage, Role } from './gen/kiam.ts';
import type { KiamClient, KiamOutcome } from './kiam-client.ts';
import { readKiamDate } from './kiam-date.ts';
import { type KiamFailure, readKiamError } from './kiam-errors.ts';

export interface KiamBrokerOptions {
  readonly client: KiamClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * An answer is good for this long, in milliseconds: enough for a door to ask again in the turn in which it writes
 * what it waited for, and too short for an address to pass from one pod to another.
 */
const recentMillis = 1_000;

/**
 * A broker that asks one of kiam's own servers for each request, for the time in which agents are podpass' already
 * and servers are not.
 *
 * kiam's servers tell neither a pod's name nor its UID. The caller is therefore its address (`kiam:10.0.0.1`), answers
 * are kept for a second only, and what podpass binds to a pod's UID (session tokens of IMDSv2) is bound to the address
 * for as long as this lasts. The role's ARN is made up where kiam names the role without one.
 */
export function createKiamBroker({ client, clock, random, logger }: KiamBrokerOptions): Broker {
  /** By address, oldest first. */
  const recent = new Map<string, { readonly answer: Answer; readonly at: number }>();

  function remember(address: string, answer: Answer): void {
    const now = clock.monotonic();
    for (const [key, { at }] of recent) {
      if (now - at < recentMillis) break;
      recent.delete(key);
    }
    recent.delete(address);
    recent.set(address, { answer, at: now });
  }

  function ask(address: string): Answer {
    const canonical = canonicalAddress(address);
    if (canonical === undefined) return { kind: 'unknown', address };
    const known = recent.get(canonical);
    if (!known || clock.monotonic() - known.at >= recentMillis)
      return { kind: 'unknown', address: canonical };
    return known.answer;
  }

  async function askServer(
    address: string,
    wanted: 'role' | 'credentials',
    signal: AbortSignal,
  ): Promise<Answer> {
    const caller: Caller = { uid: `kiam:${address}`, namespace: '', name: address };
    const named = await client.call<Role>(
      (rpc, callback) => rpc.getPodRole({ ip: address }, callback),
      signal,
    );
    if (named.kind !== 'answered') return answerForFailure(named, address, caller, undefined);
    if (named.response.name === '') return { kind: 'no-role', caller };
    const role = roleNamed(named.response.name);
    if (wanted === 'role') return { kind: 'pending', caller, role };
    const given = await client.call<CredentialsMessage>(
      (rpc, callback) => rpc.getPodCredentials({ ip: address, role: role.name }, callback),
      signal,
    );
    if (given.kind !== 'answered') return answerForFailure(given, address, caller, role);
    return answerForCredentials(given.response, caller, role);
  }

  function answerForFailure(
    outcome: Exclude<KiamOutcome<unknown>, { kind: 'answered' }>,
    address: string,
    caller: Caller,
    role: BoundRole | undefined,
  ): Answer {
    if (outcome.kind === 'unreachable') {
      logger.debug({ address }, `no kiam server can be reached: ${outcome.problem}`);
      return { kind: 'unknown', address };
    }
    const { code, details } = outcome.error;
    const failure: KiamFailure =
      code === status.UNKNOWN
        ? readKiamError(details)
        : { kind: 'unavailable', problem: { code: status[code], message: details } };
    return answerFor(failure, address, caller, role);
  }

  async function askPatiently(address: string, options: PatientOptions): Promise<Answer> {
    const wanted = options.for ?? 'credentials';
    const canonical = canonicalAddress(address);
    const first = ask(address);
    if (canonical === undefined || isConclusive(first, wanted)) return first;
    const backoff = createBackoff({ initial: 50, max: 500 }, random);
    const outcome = await bounded(clock, options.waitMillis, options.signal, async (signal) => {
      for (;;) {
        const answer = await askServer(canonical, wanted, signal);
        remember(canonical, answer);
        if (isConclusive(answer, wanted)) return answer;
        await sleep(clock, backoff.next(), signal);
      }
    });
    return outcome.kind === 'done' ? outcome.value : ask(canonical);
  }

  return { ask, askPatiently };
}

/** kiam gives the annotation as it is written. The account is only in it where it is an ARN. */
function roleNamed(name: string): BoundRole {
  if (name.startsWith('arn:')) return { name, arn: name };
  return { name, arn: `arn:aws:iam:::role/${name.startsWith('/') ? name.slice(1) : name}` };
}

function answerForCredentials(message: CredentialsMessage, caller: Caller, role: BoundRole): Answer {
  const expiration = readKiamDate(message.expiration);
  const { accessKeyId, secretAccessKey, token } = message;
  if (expiration === undefined || accessKeyId === '' || secretAccessKey === '' || token === '') {
    const problem = { code: 'KiamServer', message: 'the server sent credentials that cannot be used' };
    return { kind: 'unavailable', caller, role, problem };
  }
  // kiam writes its local time there with a `Z`; it is shown to clients and nothing is decided by it.
  const issuedAt = readKiamDate(message.lastUpdated) ?? expiration;
  // They are asked for anew each second.
  const goodUntil = Number.POSITIVE_INFINITY;
  return {
    kind: 'credentials',
    caller,
    role,
    credentials: { accessKeyId, secretAccessKey, sessionToken: token, expiration, issuedAt, goodUntil },
  };
}

/** kiam's namespace annotation, which is what most of its refusals are about. */
const permitted = 'iam.amazonaws.com/permitted';

function answerFor(
  failure: KiamFailure,
  address: string,
  caller: Caller,
  role: BoundRole | undefined,
): Answer {
  switch (failure.kind) {
    case 'unknown':
      return { kind: 'unknown', address };
    case 'ambiguous':
      return { kind: 'ambiguous', address, claimants: [] };
    case 'no-role':
      return { kind: 'no-role', caller };
    case 'forbidden': {
      const problem = 'the kiam server refuses by policy and does not say more: see the event of the pod';
      const finding = {
        question: 'permission',
        lookedAt: 'kiam server',
        found: 'forbidden by policy',
      } as const;
      if (!role) {
        return {
          kind: 'forbidden',
          caller,
          decision: { kind: 'invalid', annotation: permitted, problem, findings: [finding] },
        };
      }
      const refusal = { rule: 'invalid', annotation: permitted, expression: '', problem } as const;
      return {
        kind: 'forbidden',
        caller,
        decision: { kind: 'forbidden', role, refusal, findings: [finding] },
      };
    }
    case 'refused':
    case 'unavailable':
      // Before the role is known there is nothing to attribute the fault to, and trying again may help.
      if (!role) return { kind: 'unknown', address };
      return { kind: failure.kind, caller, role, problem: failure.problem };
    default:
      return unreachable(failure);
  }
}
