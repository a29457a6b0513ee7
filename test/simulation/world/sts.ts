import type { Clock } from '../../../src/base/clock.ts';
import type { FakeClock } from '../../../src/base/fake-clock.ts';
import type { Random } from '../../../src/base/random.ts';
import type { AssumeRoleOutcome, SessionIdentity, StsBackend } from '../../../src/credentials/session.ts';
import type { Network, Party } from './network.ts';

/** What STS makes of calls now. */
export interface StsMood {
  /** How likely it is that a call is throttled. */
  readonly throttling: number;
  /** How likely it is that a call fails inside of STS. */
  readonly failing: number;
  /** Roles whose trust policy does not name us. */
  readonly refused: ReadonlySet<string>;
  /** Milliseconds that a call takes at the most. */
  readonly slowest: number;
  /** How long credentials live, in place of what is asked for. */
  readonly lifeMillis: number | undefined;
}

export const calmSts: StsMood = {
  throttling: 0,
  failing: 0,
  refused: new Set(),
  slowest: 300,
  lifeMillis: undefined,
};

/** One call of STS, as AWS would tell of it. Times are those of the world, in milliseconds from its beginning. */
export interface StsCall {
  readonly number: number;
  readonly process: string;
  readonly identity: SessionIdentity;
  readonly at: number;
  endedAt?: number;
  outcome?: AssumeRoleOutcome['kind'] | 'lost';
  /** Of what was issued: when it ends. */
  expiresAt?: number;
  readonly accessKeyId: string;
}

export interface Sts extends Party {
  mood: StsMood;
  readonly calls: readonly StsCall[];
  /** STS as one process reaches it. */
  backendFor(process: Party, clock: Clock): StsBackend;
}

export interface StsOptions {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly network: Network;
  readonly sessionMillis: number;
}

/** The STS of a simulation. */
export function createSts({ clock, random, network, sessionMillis }: StsOptions): Sts {
  const calls: StsCall[] = [];

  function answer(call: StsCall, ownNow: number): AssumeRoleOutcome {
    const { mood } = sts;
    if (random.next() < mood.throttling)
      return { kind: 'throttled', code: 'Throttling', message: 'Rate exceeded' };
    if (random.next() < mood.failing)
      return { kind: 'unavailable', code: 'ServiceUnavailable', message: 'STS is away' };
    if (mood.refused.has(call.identity.roleArn))
      return {
        kind: 'refused',
        code: 'AccessDenied',
        message: 'is not authorized to perform: sts:AssumeRole',
      };
    const lifeMillis = mood.lifeMillis ?? sessionMillis;
    call.expiresAt = clock.monotonic() + lifeMillis;
    const expiration = Math.floor(clock.now() + lifeMillis);
    const credentials = {
      accessKeyId: call.accessKeyId,
      secretAccessKey: `secret-${call.number}`,
      sessionToken: `session-${call.number}`,
      issuedAt: ownNow,
      expiration,
      goodUntil: call.at + Math.min(expiration - ownNow, sessionMillis),
    };
    return { kind: 'issued', credentials };
  }

  const sts: Sts = {
    name: 'sts',
    place: 'sts',
    isListening: true,
    isDead: false,
    mood: calmSts,
    calls,
    backendFor: (process, own) => ({
      assumeRole(identity, signal) {
        const number = calls.length;
        const call: StsCall = {
          number,
          process: process.name,
          identity,
          at: clock.monotonic(),
          accessKeyId: `ASIA${String(number).padStart(16, '0')}`,
        };
        calls.push(call);
        return new Promise((resolve, reject) => {
          const settle = (outcome: AssumeRoleOutcome) => {
            call.endedAt ??= clock.monotonic();
            call.outcome ??= outcome.kind;
            resolve(outcome);
          };
          signal.addEventListener('abort', () => {
            call.endedAt ??= clock.monotonic();
            call.outcome ??= 'lost';
            reject(signal.reason);
          });
          const broken = (why: string) => settle({ kind: 'unavailable', code: 'NetworkError', message: why });
          network.connect({
            from: process,
            to: sts,
            onOpen(flow) {
              flow.send(process, () => {
                const millis = 20 + random.next() * (sts.mood.slowest - 20);
                clock.setTimer(millis, () => {
                  const outcome = answer(call, own.now());
                  flow.send(sts, () => {
                    flow.close(process);
                    settle(outcome);
                  });
                });
              });
            },
            onBroken: broken,
            onPeerBroken: () => {},
          });
        });
      },
    }),
  };
  return sts;
}
