import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Credentials } from '../../credentials/session.ts';
import type { RoleArn } from './arn.ts';

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Makes temporary credentials that look like AWS's. `seconds` from now they state to expire, to the whole second. */
export function mintCredentials(clock: Clock, random: Random, seconds: number): Credentials {
  const issuedAt = clock.now();
  const expiration = Math.floor(issuedAt / 1_000 + seconds) * 1_000;
  return {
    accessKeyId: `ASIA${toBase32(random.bytes(16))}`,
    secretAccessKey: Buffer.from(random.bytes(30)).toString('base64'),
    sessionToken: Buffer.from(random.bytes(180)).toString('base64'),
    expiration,
    issuedAt,
    goodUntil: clock.monotonic() + expiration - issuedAt,
  };
}

/** A role's unique id, the same in every run. */
export function roleId(role: RoleArn): string {
  const digest = createHash('sha256').update(role.arn).digest();
  return `AROA${toBase32(digest.subarray(0, 17))}`;
}

/** The id of one request, in the shape of a UUID. */
export function requestId(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** One letter for each byte: five of its bits are enough for an identifier. */
function toBase32(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => base32[byte & 31]).join('');
}
