import type { JWTPayload } from 'jose';
import { at, type Json, textAt } from './json.ts';
import type { KubeObject } from './objects.ts';
import { serviceAccountUsername } from './users.ts';

/** An object that a token names: valid only as long as this very object exists. */
export interface ObjectReference {
  readonly name: string;
  readonly uid: string;
}

/** What a service-account token says. */
export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: ObjectReference;
  readonly pod?: ObjectReference;
  readonly node?: ObjectReference;
  readonly audiences: readonly string[];
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly id: string;
}

export function referenceTo({ metadata: { name, uid } }: KubeObject): ObjectReference {
  return { name, uid };
}

/** The payload of the JWT: the claims of an API server since 1.30. */
export function toPayload(issuer: string, claims: TokenClaims): JWTPayload {
  const { namespace, serviceAccount, pod, node } = claims;
  return {
    aud: [...claims.audiences],
    exp: claims.expiresAt,
    iat: claims.issuedAt,
    iss: issuer,
    jti: claims.id,
    'kubernetes.io': {
      namespace,
      ...(node && { node }),
      ...(pod && { pod }),
      serviceaccount: serviceAccount,
    },
    nbf: claims.issuedAt,
    sub: serviceAccountUsername(namespace, serviceAccount.name),
  };
}

/** Reads a payload whose signature has been checked. `undefined` when it is not one of ours. */
export function fromPayload(payload: JWTPayload): TokenClaims | undefined {
  const own = payload['kubernetes.io'] as Json | undefined;
  const namespace = textAt(own, 'namespace');
  const serviceAccount = reference(at(own, 'serviceaccount'));
  const { aud = [], iat, exp, jti } = payload;
  if (!namespace || !serviceAccount || iat === undefined || exp === undefined || !jti) return undefined;
  if (payload.sub !== serviceAccountUsername(namespace, serviceAccount.name)) return undefined;
  const pod = reference(at(own, 'pod'));
  const node = reference(at(own, 'node'));
  return {
    namespace,
    serviceAccount,
    ...(pod && { pod }),
    ...(node && { node }),
    audiences: typeof aud === 'string' ? [aud] : aud,
    issuedAt: iat,
    expiresAt: exp,
    id: jti,
  };
}

function reference(value: Json | undefined): ObjectReference | undefined {
  const name = textAt(value, 'name');
  return name ? { name, uid: textAt(value, 'uid') } : undefined;
}
