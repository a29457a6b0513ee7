import { cleanText } from './clean-text.ts';
import { member, textMember } from './json-object.ts';

/**
 * The API server's own refusal: the `Status` object of an answer that is not 2xx, or of a watch's ERROR event.
 */
export interface StatusFailure {
  readonly kind: 'status';
  /** The HTTP status: 403, 410, 422. 0 where an ERROR event has none. */
  readonly status: number;
  /** The machine-readable reason, by which to decide: `Forbidden`, `Expired`, `Invalid`. Empty where none was given. */
  readonly reason: string;
  /** For a person. One line, at most 1,024 bytes. */
  readonly message: string;
  /** How long the API server asks to be left alone, in milliseconds. */
  readonly retryAfterMillis?: number;
}

/**
 * Whether a refusal says nothing about what was asked: it is about who asks, about overload or a restart, and the
 * same question may be answered later.
 */
export function isPassing(status: number): boolean {
  return passing.has(status);
}

const passing: ReadonlySet<number> = new Set([401, 403, 404, 408, 410, 429, 502, 503, 504]);

/** The API server may ask for patience, but not put podpass to sleep. */
const longestRetryAfter = 120_000;
const maxMessageBytes = 1_024;

/**
 * Reads a `Status` object. `retryAfter` is the header's text (whole seconds); `details.retryAfterSeconds` says the same
 * in the body. Anything that is not as expected is left out: this runs when things are wrong already.
 */
export function readStatusFailure(body: unknown, status?: number, retryAfter?: string): StatusFailure {
  const code = member(body, 'code');
  const known = status ?? (typeof code === 'number' && Number.isInteger(code) ? code : 0);
  const message = member(body, 'message');
  const seconds =
    retryAfter === undefined ? member(member(body, 'details'), 'retryAfterSeconds') : Number(retryAfter);
  const wait =
    typeof seconds === 'number' && seconds > 0 ? Math.min(seconds * 1_000, longestRetryAfter) : undefined;
  return {
    kind: 'status',
    status: known,
    reason: textMember(body, 'reason', 128),
    message: cleanText(typeof message === 'string' ? message : '', maxMessageBytes) || `HTTP status ${known}`,
    ...(wait !== undefined && { retryAfterMillis: wait }),
  };
}
