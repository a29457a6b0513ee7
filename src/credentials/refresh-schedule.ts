import type { BackoffOptions } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Credentials } from './session.ts';

/** Credentials with less than this left are not served: a request signed with them might arrive too late. */
export const minimumValidMillis = 60_000;

/** A refresh that has waited until only this much is left goes before the first fetches. */
export const urgentMillis = 5 * 60_000;

/** STS is busy or away. Quick at first: a dropped keep-alive connection is cured by the next try. */
export const unavailableBackoff: BackoffOptions = { initial: 500, max: 60_000 };

/** STS said no. Quick enough for a trust policy that was just written, slow enough to leave alone what stays refused. */
export const refusedBackoff: BackoffOptions = { initial: 10_000, max: 600_000 };

/**
 * A refresh begins when 40 to 47 % of the lifetime have passed. What is served must have at least half the session or
 * 30 minutes left (botocore stretches anything shorter, Java and others refresh on every call); the rest up to the
 * half is for the call and its first repetitions, 27 s of the shortest session STS gives.
 */
const earliestRefresh = 0.4;
/** Sessions of one moment are spread over this much of the lifetime. */
const refreshSpread = 0.07;
/** A session that is refreshed all the time would be no session. */
const shortestWait = 0.1;

/**
 * Milliseconds left of credentials at which their refresh is due.
 *
 * @param calledAt monotonic time at which STS was called.
 * @param leftMillis kiam's `--session-refresh`: the refresh begins before less than this is left.
 */
export function refreshBelow(
  { issuedAt, expiration, goodUntil }: Credentials,
  calledAt: number,
  random: Random,
  leftMillis = 0,
): number {
  const lifetime = Math.min(expiration - issuedAt, goodUntil - calledAt);
  const wished = Math.max(1 - leftMillis / lifetime, shortestWait) - refreshSpread;
  const passed = Math.min(earliestRefresh, wished) + random.next() * refreshSpread;
  return lifetime * (1 - passed);
}

/**
 * Milliseconds until credentials expire: the lesser of what the wall clock and what the monotonic clock say. The wall
 * clock alone would serve expired credentials after it was set back; the monotonic clock alone would after the machine
 * slept, because it may stand still meanwhile.
 */
export function millisLeft({ expiration, goodUntil }: Credentials, clock: Clock): number {
  const byWall = expiration - clock.now();
  const byAge = goodUntil - clock.monotonic();
  return Math.min(byWall, byAge);
}
