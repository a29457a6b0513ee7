import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { StsCall } from './query-request.ts';
import type { SessionStore, StsSession } from './session-store.ts';
import { formatAmzDate, parseSignature, signatureMatches } from './signature.ts';
import type { StsHttpRequest } from './sts-http.ts';
import { failed, type StsFailure } from './sts-outcome.ts';

/** How far a client's clock may be off, in milliseconds: STS's 5 minutes. */
const clockSkew = 300_000;

const badToken = 'The security token included in the request is invalid.';

/** Who signed the call, or why that is not known. Codes and texts are STS's. */
export async function authenticate(
  request: StsHttpRequest,
  call: StsCall,
  { clock, sessions }: { readonly clock: Clock; readonly sessions: SessionStore },
): Promise<{ kind: 'authenticated'; session: StsSession } | StsFailure> {
  const parsed = parseSignature(request);
  if (parsed.kind === 'missing') {
    return failed(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
  }
  if (parsed.kind === 'malformed') {
    const message =
      "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters, the latter with " +
      "'host', and the request an 'X-Amz-Date' header.";
    return failed(400, 'IncompleteSignature', message);
  }
  const { signed } = parsed;
  if (signed.service !== 'sts') {
    return failed(403, 'SignatureDoesNotMatch', "Credential should be scoped to correct service: 'sts'.");
  }
  const skewed = checkClock(signed.date, clock.now());
  if (skewed) return skewed;
  const session = sessions.get(signed.accessKeyId);
  const token = request.headers['x-amz-security-token'] ?? '';
  if (!session || !equalTexts(token, session.credentials.sessionToken)) {
    return failed(403, 'InvalidClientTokenId', badToken);
  }
  if (session.endsAt <= clock.now()) {
    return failed(403, 'ExpiredToken', 'The security token included in the request is expired');
  }
  const { secretAccessKey } = session.credentials;
  if (!(await signatureMatches(request, call.query, signed, secretAccessKey))) {
    const message =
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret ' +
      'Access Key and signing method. Consult the service documentation for details.';
    return failed(403, 'SignatureDoesNotMatch', message);
  }
  return { kind: 'authenticated', session };
}

function checkClock(signedAt: number, now: number): StsFailure | undefined {
  const [at, here] = [formatAmzDate(signedAt), formatAmzDate(now)];
  if (signedAt < now - clockSkew) {
    const limit = formatAmzDate(now - clockSkew);
    const message = `Signature expired: ${at} is now earlier than ${limit} (${here} - 5 min.)`;
    return failed(403, 'SignatureDoesNotMatch', message);
  }
  if (signedAt > now + clockSkew) {
    const limit = formatAmzDate(now + clockSkew);
    const message = `Signature not yet current: ${at} is still later than ${limit} (${here} + 5 min.)`;
    return failed(403, 'SignatureDoesNotMatch', message);
  }
  return undefined;
}

function equalTexts(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
