import { createHash, createHmac, type Hash, type Hmac, timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { StsHttpRequest } from './sts-http.ts';

/** What an Authorization header of Signature Version 4 says. */
export interface SignedRequest {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  /** In lower case, as listed. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** X-Amz-Date in milliseconds since the epoch. */
  readonly date: number;
}

const authorizationPattern =
  /^AWS4-HMAC-SHA256\s+Credential=([\w]{1,128})\/(\d{8})\/([\w-]{1,64})\/([\w-]{1,64})\/aws4_request,?\s*SignedHeaders=([a-z0-9;-]{1,2048}),?\s*Signature=([0-9a-f]{64})$/;

/** Reads the signature of a request. `missing`: it has none; `malformed`: it has one that cannot be read. */
export function parseSignature(
  request: StsHttpRequest,
): { kind: 'signed'; signed: SignedRequest } | { kind: 'missing' } | { kind: 'malformed' } {
  const authorization = request.headers.authorization;
  if (!authorization) return { kind: 'missing' };
  const [, accessKeyId, , region, service, headerList, signature] =
    authorizationPattern.exec(authorization) ?? [];
  const date = parseAmzDate(request.headers['x-amz-date'] ?? '');
  if (!accessKeyId || !region || !service || !headerList || !signature || date === undefined) {
    return { kind: 'malformed' };
  }
  const signedHeaders = headerList.split(';');
  // Without the host a signature made for another service's endpoint would do.
  if (!signedHeaders.includes('host')) return { kind: 'malformed' };
  return { kind: 'signed', signed: { accessKeyId, region, service, signedHeaders, signature, date } };
}

/**
 * Signs the request again with the secret and compares, in constant time. The headers that count are those the
 * client lists as signed; a payload hash that the client states must be that of the body. A query parameter named
 * `__proto__` never matches: the signer loses it while it copies the query, so it would count without a signature.
 */
export async function signatureMatches(
  request: StsHttpRequest,
  query: Readonly<Record<string, string | string[]>>,
  signed: SignedRequest,
  secretAccessKey: string,
): Promise<boolean> {
  if (Object.hasOwn(query, '__proto__')) return false;
  const stated = request.headers['x-amz-content-sha256'];
  if (stated !== undefined && stated !== createHash('sha256').update(request.body).digest('hex'))
    return false;
  const headers: Record<string, string> = {};
  for (const name of signed.signedHeaders) {
    const value = request.headers[name];
    if (value === undefined) return false;
    headers[name] = value;
  }
  const signer = new SignatureV4({
    credentials: { accessKeyId: signed.accessKeyId, secretAccessKey },
    region: signed.region,
    service: signed.service,
    sha256: NodeSha256,
    applyChecksum: false,
  });
  const again = await signer.sign(
    {
      method: request.method,
      protocol: 'http:',
      hostname: 'sts',
      path: '/',
      query: { ...query },
      headers,
      body: request.body,
    },
    { signingDate: new Date(signed.date), signableHeaders: new Set(signed.signedHeaders) },
  );
  const expected = again.headers.authorization?.slice(-64) ?? '';
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signed.signature));
}

/** Milliseconds since the epoch of `20260101T000000Z`. */
function parseAmzDate(text: string): number | undefined {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  const millis = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(millis) ? undefined : millis;
}

/** `20260101T000000Z`. */
export function formatAmzDate(millis: number): string {
  return new Date(millis).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** The shape in which the signer takes its hash function: a class, with a key when it is to be an HMAC. */
class NodeSha256 {
  readonly #create: () => Hash | Hmac;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret === undefined || typeof secret === 'string' ? secret : toBytes(secret);
    this.#create = () => (key === undefined ? createHash('sha256') : createHmac('sha256', key));
    this.#hash = this.#create();
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#create();
  }
}

function toBytes(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
