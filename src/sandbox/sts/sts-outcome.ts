import type { XmlContent } from './xml.ts';

/** What one call comes to: the content of its Result element, or an error as STS words it. */
export type StsOutcome = { readonly kind: 'done'; readonly result: XmlContent } | StsFailure;

export interface StsFailure {
  readonly kind: 'failed';
  /** HTTP status. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** A failure with one of STS's codes. The texts come from AWS's own answers as users of its SDKs report them. */
export function failed(status: number, code: string, message: string): StsFailure {
  return { kind: 'failed', status, code, message };
}

/** STS answers alike for a role that does not exist and for one that does not trust the caller. */
export function notAuthorized(callerArn: string, action: string, roleArn: string): StsFailure {
  const message = `User: ${callerArn} is not authorized to perform: ${action} on resource: ${roleArn}`;
  return failed(403, 'AccessDenied', message);
}

/** Throttling arrives as HTTP 400, which clients must know to retry. */
export function throttled(): StsFailure {
  return failed(400, 'Throttling', 'Rate exceeded');
}
