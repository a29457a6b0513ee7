import type { Clock } from '../base/clock.ts';
import type { CheckResult } from '../telemetry/health.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Certificates } from './certificates.ts';

export interface WarnOfExpiryOptions {
  readonly certificates: Pick<Certificates, 'current'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const dayMillis = 86_400_000;
const warnAtDays = [30, 7, 1] as const;
/**
 * A certificate that is renewed as it should be has a third of its life left by then (cert-manager's default). A warning
 * within normal life would come at each renewal, and nobody would read it.
 */
const renewedBelow = 1 / 3;
const lookMillis = 60_000;

/** Says once each when the certificate in use ends in 30 days, in 7, in one, and when it has ended. */
export function warnOfExpiry({ certificates, clock, logger, signal }: WarnOfExpiryOptions): void {
  let told = Number.POSITIVE_INFINITY;
  let expires = 0;

  function look(): void {
    const { current } = certificates;
    if (current.expires !== expires) told = Number.POSITIVE_INFINITY;
    expires = current.expires;
    const left = expires - clock.now();
    const life = expires - current.begins;
    const at = new Date(expires).toISOString();
    if (left <= 0) {
      if (told > 0) logger.error({ expires: at }, `the TLS certificate expired at ${at}: ${afterwards}`);
      told = 0;
      return;
    }
    const due = warnAtDays
      .filter((days) => left <= days * dayMillis && days * dayMillis < life * renewedBelow)
      .at(-1);
    if (due === undefined || due >= told) return;
    told = due;
    logger.warn(
      { expires: at },
      `the TLS certificate, or an authority above it, expires at ${at}, within ${due === 1 ? 'a day' : `${due} days`}. Put a new set into the files of --cert, --key and --ca; no restart is needed`,
    );
  }

  if (signal.aborted) return;
  look();
  let timer = clock.setTimer(lookMillis, again);
  function again(): void {
    look();
    timer = clock.setTimer(lookMillis, again);
  }
  signal.addEventListener('abort', () => timer.cancel(), { once: true });
}

const afterwards =
  'no new connection can be made until there is a new one in the files of --cert, --key and --ca';

/** The line of a readiness report about the certificate in use. */
export function certificateHealth(
  certificates: Pick<Certificates, 'current' | 'problem'>,
  clock: Clock,
): CheckResult {
  const { current, problem } = certificates;
  const at = new Date(current.expires).toISOString();
  if (clock.now() >= current.expires) return { ok: false, message: `expired at ${at}: ${afterwards}` };
  const kept = problem ? `; what is on disk cannot be used: ${problem.message}` : '';
  return { ok: true, message: `valid until ${at}${kept}` };
}
