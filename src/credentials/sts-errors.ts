import { messageOf, PodpassError } from '../base/errors.ts';
import type { AssumeRoleOutcome } from './session.ts';

/** What a call came to that gave nothing. */
export type StsFailure = Exclude<AssumeRoleOutcome, { kind: 'issued' }>;

/** STS answers these with HTTP 400, where only the code tells them from a malformed request. */
const throttledCodes = new Set([
  'BandwidthLimitExceeded',
  'PriorRequestNotComplete',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** STS does not accept the credentials that podpass itself calls it with. That says nothing about the role asked for. */
const ownCredentialsCodes = new Set([
  'AuthFailure',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'OptInRequired',
  'RequestExpired',
  'RequestInTheFuture',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);

/** Faults on AWS's side that come with a 4xx status. */
const unavailableCodes = new Set([
  'IDPCommunicationError',
  'IDPCommunicationErrorException',
  'InternalFailure',
  'InternalError',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
]);

const ownCredentialsHint =
  'STS does not accept the credentials podpass has for itself: check them, and the clock of this machine.';

/**
 * Says what an error of the SDK means, by its code and the HTTP status, never by its text.
 *
 * `ERR_STS` marks that podpass got no credentials of its own (`own-credentials.ts`): an AccessDenied underneath is about
 * podpass's role and not about the one asked for.
 */
export function classifyStsError(thrown: unknown): StsFailure {
  if (thrown instanceof PodpassError && thrown.code === 'ERR_STS') {
    const cause = classifyStsError(thrown.cause);
    const kind = cause.kind === 'throttled' ? 'throttled' : 'unavailable';
    return { kind, code: 'NoBaseCredentials', message: tidy(thrown.message) };
  }
  const { name, code, Code, status } = partsOf(thrown);
  // The SDK calls a reset connection a TimeoutError: the system's code is the better witness.
  if (code !== undefined && status === undefined) {
    return {
      kind: 'unavailable',
      code: 'NetworkError',
      message: tidy(`cannot reach STS: ${textOf(thrown)}`),
    };
  }
  if (name === 'TimeoutError') {
    return { kind: 'unavailable', code: 'RequestTimeout', message: 'STS did not answer in time.' };
  }
  if (name === 'CredentialsProviderError') {
    return { kind: 'unavailable', code: 'NoBaseCredentials', message: tidy(textOf(thrown)) };
  }
  if (Code === undefined) {
    // Something that is not STS answered, or STS answered with something else than its protocol.
    const message =
      status === undefined
        ? textOf(thrown)
        : `HTTP ${status} without an error code: is this STS, or a proxy?`;
    return {
      kind: status === 429 ? 'throttled' : 'unavailable',
      code: 'UnknownAnswer',
      message: tidy(message),
    };
  }
  return { kind: kindOf(Code, status), code: Code, message: messageFor(Code, tidy(textOf(thrown))) };
}

function kindOf(code: string, status: number | undefined): StsFailure['kind'] {
  if (throttledCodes.has(code) || status === 429) return 'throttled';
  if (ownCredentialsCodes.has(code) || unavailableCodes.has(code)) return 'unavailable';
  // The rest of 4xx is STS's judgement of this request: AccessDenied, ValidationError, MalformedPolicyDocument,
  // PackedPolicyTooLarge, RegionDisabledException and what may be added. Repeating it soon would not change it.
  return status !== undefined && status >= 400 && status < 500 && status !== 408 ? 'refused' : 'unavailable';
}

function messageFor(code: string, message: string): string {
  return ownCredentialsCodes.has(code) ? `${message} (${ownCredentialsHint})` : message;
}

/** What an error of the SDK, of node:http or of anything else may carry. */
function partsOf(thrown: unknown) {
  const fields = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Record<string, unknown>;
  const metadata = (fields.$metadata ?? {}) as Record<string, unknown>;
  const status = typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const Code = text(fields.Code);
  return {
    name: text(fields.name),
    code: text(fields.code),
    // It goes into events, labels and headers as it is, so what is not one word of AWS's is no code.
    Code: Code !== undefined && codePattern.test(Code) ? Code : undefined,
    status,
  };
}

/** The text of an error; of several connection attempts in one error, the first's. */
function textOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return messageOf(thrown.errors[0]);
  return messageOf(thrown);
}

/** AWS's are `AccessDenied`, `InvalidParameterValue`, at times with a dot in the midst. */
const codePattern = /^[A-Za-z][\w.-]{0,127}$/;
const longestMessage = 1_000;
const requestIds = /[,;(]?\s*\brequest\s?id\b:?\s*[\w-]{8,}\)?/gi;

/** One line without request ids, so that the same problem reads the same each time and events can be counted. */
function tidy(message: string): string {
  const line = message
    .replace(requestIds, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return line.length > longestMessage ? `${line.slice(0, longestMessage - 1)}…` : line;
}
