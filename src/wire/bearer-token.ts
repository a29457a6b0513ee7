import type { Metadata } from '@grpc/grpc-js';

/** What a call carries in `authorization`. `malformed` is something, and no token. */
export type Bearer =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'none' | 'malformed' };

const key = 'authorization';
const scheme = 'Bearer ';
const none: Bearer = { kind: 'none' };
const malformed: Bearer = { kind: 'malformed' };

/** Reads the bearer token of a call (RFC 6750; the scheme's case does not matter). */
export function readBearer(metadata: Metadata): Bearer {
  const values = metadata.get(key);
  const [value] = values;
  if (value === undefined) return none;
  if (values.length > 1 || typeof value !== 'string') return malformed;
  if (value.slice(0, scheme.length).toLowerCase() !== scheme.toLowerCase()) return malformed;
  const token = value.slice(scheme.length);
  return token === '' ? malformed : { kind: 'token', token };
}

/** Adds the token to what a call sends. */
export function setBearer(metadata: Metadata, token: string): void {
  metadata.set(key, scheme + token);
}
