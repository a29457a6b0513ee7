import { isList, isObject, type Json, textAt } from './json.ts';
import { badRequest, done, invalid, type Outcome } from './status.ts';

/** What `serviceaccounts/NAME/token` may be asked for. */
export interface TokenRequest {
  /** Empty: the API server's own. */
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly boundPod?: { readonly name: string; readonly uid: string };
}

const defaultSeconds = 3_600;
const shortestSeconds = 600;
const longestSeconds = 2 ** 32;

/** Reads the body of a TokenRequest. The limits are those of a real API server. */
export function parseTokenRequest(body: Json): Outcome<TokenRequest> {
  if (!isObject(body)) return badRequest('the body is not a TokenRequest');
  const spec = isObject(body.spec) ? body.spec : {};
  const audiences = spec.audiences ?? [];
  if (!isList(audiences) || !audiences.every((one) => typeof one === 'string')) {
    return badRequest('TokenRequest: spec.audiences is not a list of texts');
  }
  const seconds = spec.expirationSeconds ?? defaultSeconds;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds)) {
    return badRequest('TokenRequest: spec.expirationSeconds is not a whole number');
  }
  if (seconds < shortestSeconds) {
    const problem = `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`;
    return invalid('TokenRequest', '', 'spec.expirationSeconds', problem);
  }
  if (seconds > longestSeconds) {
    const problem = `Invalid value: ${seconds}: may not specify a duration larger than 2^32 seconds`;
    return invalid('TokenRequest', '', 'spec.expirationSeconds', problem);
  }
  const request = { audiences: audiences.map(String), expirationSeconds: seconds };
  const bound = spec.boundObjectRef;
  if (!isObject(bound)) return done(request);
  if (textAt(bound, 'kind') !== 'Pod' || !['', 'v1'].includes(textAt(bound, 'apiVersion'))) {
    return badRequest(
      `cannot bind token to object of type ${textAt(bound, 'apiVersion')}/${textAt(bound, 'kind')}`,
    );
  }
  return done({ ...request, boundPod: { name: textAt(bound, 'name'), uid: textAt(bound, 'uid') } });
}
