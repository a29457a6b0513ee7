import { type Clock, sleep } from '../../base/clock.ts';
import type { AssumeRoleOutcome, Credentials, SessionIdentity, StsBackend } from '../session.ts';
import { sessionKey } from '../session-key.ts';

/** One call that a scripted back-end received. Times are monotonic. */
export interface RecordedCall {
  readonly identity: SessionIdentity;
  readonly at: number;
  endedAt?: number;
}

/** A failing outcome, `issue`, `hang` (until aborted) or `throw`. */
export type Scripted = 'issue' | 'hang' | 'throw' | Exclude<AssumeRoleOutcome, { kind: 'issued' }>;

export interface ScriptedBackend extends StsBackend {
  readonly calls: RecordedCall[];
  /** Calls under way now. */
  readonly inFlight: number;
  /** The most calls that were ever under way at once for one identity. */
  readonly mostPerIdentity: number;
  readonly mostInFlight: number;
}

export interface ScriptedBackendOptions {
  readonly clock: Clock;
  /** What becomes of the n-th call (from 0). Default: `issue`. */
  readonly answer?: (identity: SessionIdentity, call: number) => Scripted;
  /** How long a call takes. Default 100 ms. */
  readonly latencyMillis?: () => number;
  /** Default 1 h. */
  readonly sessionMillis?: number;
  /** How far AWS's clock is ahead of ours. Default 0. */
  readonly clockAheadMillis?: () => number;
}

/** STS for tests: answers as told, on the clock given, and remembers what it was asked. */
export function createScriptedBackend(options: ScriptedBackendOptions): ScriptedBackend {
  const { clock, answer = () => 'issue', latencyMillis = () => 100, sessionMillis = 3_600_000 } = options;
  const { clockAheadMillis = () => 0 } = options;
  const calls: RecordedCall[] = [];
  const flights = new Map<string, number>();
  let inFlight = 0;
  let mostInFlight = 0;
  let mostPerIdentity = 0;

  async function run(
    identity: SessionIdentity,
    number: number,
    signal: AbortSignal,
  ): Promise<AssumeRoleOutcome> {
    const scripted = answer(identity, number);
    const calledAt = clock.monotonic();
    await sleep(clock, scripted === 'hang' ? 2 ** 40 : latencyMillis(), signal);
    if (scripted === 'throw') throw new Error('scripted to throw');
    if (scripted !== 'issue' && scripted !== 'hang') return scripted;
    const issuedAt = clock.now();
    const expiration = issuedAt + clockAheadMillis() + sessionMillis;
    const goodUntil = calledAt + Math.min(expiration - issuedAt, sessionMillis);
    return {
      kind: 'issued',
      credentials: createCredentials(`AKIA${number}`, issuedAt, expiration, goodUntil),
    };
  }

  return {
    calls,
    async assumeRole(identity, signal) {
      const key = sessionKey(identity);
      const own = (flights.get(key) ?? 0) + 1;
      flights.set(key, own);
      inFlight += 1;
      mostPerIdentity = Math.max(mostPerIdentity, own);
      mostInFlight = Math.max(mostInFlight, inFlight);
      const call: RecordedCall = { identity, at: clock.monotonic() };
      calls.push(call);
      try {
        return await run(identity, calls.length - 1, signal);
      } finally {
        flights.set(key, (flights.get(key) ?? 1) - 1);
        inFlight -= 1;
        call.endedAt = clock.monotonic();
      }
    },
    get inFlight() {
      return inFlight;
    },
    get mostInFlight() {
      return mostInFlight;
    },
    get mostPerIdentity() {
      return mostPerIdentity;
    },
  };
}

export function createCredentials(
  accessKeyId: string,
  issuedAt: number,
  expiration: number,
  goodUntil = Number.POSITIVE_INFINITY,
): Credentials {
  return {
    accessKeyId,
    secretAccessKey: `secret-of-${accessKeyId}`,
    sessionToken: `token-of-${accessKeyId}`,
    issuedAt,
    expiration,
    goodUntil,
  };
}
