import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { bounded } from '../../base/bounded.ts';
import type { Clock } from '../../base/clock.ts';
import { failed, type StsFailure } from './sts-outcome.ts';

/** An OIDC identity provider of the sandbox's IAM. It stands in every account. */
export interface OidcProvider {
  /** The issuer's public keys, as its `jwks_uri` serves them. Asked for at each call. */
  getJwks(signal: AbortSignal): Promise<JSONWebKeySet>;
  /** The client ids registered; one of them must be in the token's `aud`. Default: `sts.amazonaws.com`. */
  readonly audiences?: readonly string[];
}

/** What a token that has been verified says. */
export interface WebIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
}

/** What STS takes. */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];

/** How long the issuer may take to show its keys, in milliseconds. */
const keysTimeout = 5_000;

/** Verifies a token as STS does: registered issuer, its signature, `exp`, `aud`, `sub`. */
export async function verifyWebIdentityToken(
  token: string,
  providers: ReadonlyMap<string, OidcProvider>,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ kind: 'verified'; identity: WebIdentity } | StsFailure> {
  const claims = readClaims(token);
  if (!claims) return invalidToken('The ID Token provided is not a valid JWT.');
  const { iss: issuer = '' } = claims;
  const provider = providers.get(issuer);
  if (!provider) return invalidToken(`No OpenIDConnect provider found in your account for ${issuer}`);
  const keys = await fetchKeys(provider, clock, signal);
  if (!keys) {
    const message = 'The identity provider that was asked to verify the token could not be reached.';
    return failed(400, 'IDPCommunicationError', message);
  }
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer,
      audience: [...(provider.audiences ?? ['sts.amazonaws.com'])],
      requiredClaims: ['exp', 'iat', 'sub'],
      currentDate: new Date(clock.now()),
      algorithms,
    });
    const audiences = [payload.aud ?? []].flat();
    return { kind: 'verified', identity: { issuer, subject: payload.sub ?? '', audiences } };
  } catch (error) {
    return describeRefusal(error, claims, clock);
  }
}

function readClaims(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

async function fetchKeys(provider: OidcProvider, clock: Clock, signal: AbortSignal) {
  try {
    const got = await bounded(clock, keysTimeout, signal, (inner) => provider.getJwks(inner));
    return got.kind === 'done' ? got.value : undefined;
  } catch {
    return undefined;
  }
}

function describeRefusal(error: unknown, claims: JWTPayload, clock: Clock): StsFailure {
  if (error instanceof errors.JWTExpired) {
    const message =
      `Token expired: current date/time ${Math.floor(clock.now() / 1_000)} must be before the ` +
      `expiration date/time ${claims.exp}`;
    return failed(400, 'ExpiredTokenException', message);
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return invalidToken('Incorrect token audience');
    return invalidToken(`The claim ${error.claim} of the token is missing or not acceptable`);
  }
  return invalidToken(
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity " +
      'documentation for requirements',
  );
}

function invalidToken(message: string): StsFailure {
  return failed(400, 'InvalidIdentityToken', message);
}
