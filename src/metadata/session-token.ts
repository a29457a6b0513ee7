import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';

/**
 * `expired`: ours, for this pod, and past its time. `invalid`: anything else that is not `valid`: another pod's, made
 * with another key, altered, or no token at all.
 */
export type TokenVerdict = 'valid' | 'expired' | 'invalid';

/** Makes and checks the session tokens of IMDSv2. */
export interface TokenSigner {
  /** A token for the pod, good for `ttlSeconds` (1 to 21,600): 52 characters of `[A-Za-z0-9_-]`. */
  sign(uid: string, ttlSeconds: number): string;
  verify(token: string, uid: string): TokenVerdict;
  /** When a token that `verify` called valid ends: milliseconds since the Unix epoch. */
  expiration(token: string): number;
}

export interface TokenSignerOptions {
  /** The first signs, all verify, so that keys can be replaced. Each at least 32 bytes. */
  readonly keys: readonly Uint8Array[];
  readonly clock: Clock;
}

/** The longest life of a token on EC2, in seconds. */
export const longestTokenTtl = 21_600;

/** Version (1 byte), end in milliseconds (6 bytes), HMAC-SHA-256 of both and the UID (32 bytes). */
const version = 1;
const payloadBytes = 7;
const tokenBytes = payloadBytes + 32;
/** 39 bytes are 52 characters of base64url without padding and without spare bits: one spelling for each token. */
const shape = /^[\w-]{52}$/;

/**
 * Tokens carry all that is needed to check them, because agents restart and clients do not forget: the Rust SDK keeps
 * a token for its whole life even after a 401, and the C runtime takes every token to live six hours.
 *
 * @example
 * ```ts
 * const signer = createTokenSigner({ keys: [deriveTokenKey(await readFile('agent-key.pem'))], clock });
 * const token = signer.sign(pod.uid, 21_600);
 * signer.verify(token, pod.uid); // 'valid'
 * signer.verify(token, anotherPod.uid); // 'invalid'
 * ```
 *
 * @throws PodpassError ERR_USAGE without a key, or with a short one.
 */
export function createTokenSigner({ keys, clock }: TokenSignerOptions): TokenSigner {
  const [signing] = keys;
  if (signing === undefined || keys.some((key) => key.length < 32)) {
    throw new PodpassError(
      'ERR_USAGE',
      'session tokens need at least one key, and keys need 32 bytes or more.',
    );
  }
  return {
    sign(uid, ttlSeconds) {
      const token = Buffer.alloc(tokenBytes);
      token.writeUInt8(version, 0);
      token.writeUIntBE(Math.floor(clock.now()) + ttlSeconds * 1_000, 1, 6);
      macOf(signing, token, uid).copy(token, payloadBytes);
      return token.toString('base64url');
    },
    verify(token, uid) {
      if (!shape.test(token)) return 'invalid';
      const bytes = Buffer.from(token, 'base64url');
      const mac = bytes.subarray(payloadBytes);
      let genuine = false;
      for (const key of keys) genuine = timingSafeEqual(mac, macOf(key, bytes, uid)) || genuine;
      if (!genuine || bytes[0] !== version) return 'invalid';
      return clock.now() < expirationOf(bytes) ? 'valid' : 'expired';
    },
    expiration: (token) => expirationOf(Buffer.from(token, 'base64url')),
  };
}

/**
 * Turns a secret that outlives the process into a key for tokens: agents use the bytes of their TLS private key file,
 * so that tokens survive a restart and nothing new has to be kept. HKDF-SHA-256 (RFC 5869): the key tells nothing
 * about the secret.
 *
 * @throws PodpassError ERR_USAGE if the secret is empty.
 */
export function deriveTokenKey(secret: Uint8Array): Uint8Array {
  if (secret.length === 0) {
    throw new PodpassError('ERR_USAGE', 'the secret to derive the session token key from is empty.');
  }
  return new Uint8Array(hkdfSync('sha256', secret, '', 'podpass metadata session token 1', 32));
}

function macOf(key: Uint8Array, token: Buffer, uid: string): Buffer {
  return createHmac('sha256', key).update(token.subarray(0, payloadBytes)).update(uid).digest();
}

function expirationOf(bytes: Buffer): number {
  return bytes.readUIntBE(1, 6);
}
