import type { FaultDraw } from './faults.ts';
import { failed, type StsFailure } from './sts-outcome.ts';
import type { SessionLength } from './sts-state.ts';

/** What STS gives when no duration is asked for, and the most it gives at the end of a role chain. Seconds. */
const oneHour = 3_600;

/**
 * How long a session may last: at most the role's MaxSessionDuration, and at most an hour when the caller's own
 * credentials come from assuming a role. Parameters have been validated.
 */
export function sessionLength({
  requested,
  maxSessionDuration,
  chained,
  earlyExpiry,
}: {
  readonly requested: string | undefined;
  readonly maxSessionDuration: number;
  readonly chained: boolean;
  readonly earlyExpiry: FaultDraw['earlyExpiry'];
}): ({ kind: 'length' } & SessionLength) | StsFailure {
  const seconds = requested === undefined ? oneHour : Number(requested);
  if (chained && seconds > oneHour) {
    const message =
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.';
    return failed(400, 'ValidationError', message);
  }
  if (seconds > maxSessionDuration) {
    const message = 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.';
    return failed(400, 'ValidationError', message);
  }
  return {
    kind: 'length',
    statedSeconds: earlyExpiry?.announced ? earlyExpiry.seconds : seconds,
    endsAfterSeconds: earlyExpiry?.seconds ?? seconds,
  };
}
