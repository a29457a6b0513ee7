import type { IncomingMessage } from 'node:http';

/** The beginning of a body, or all of it. */
export type Gathered =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  | { readonly kind: 'longer'; readonly first: Uint8Array; readonly rest: AsyncIterator<Uint8Array> };

/** Reads up to `limit` bytes. Throws if the body breaks off before. */
export async function gather(body: IncomingMessage, limit: number): Promise<Gathered> {
  const rest: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length <= limit) {
    const { done, value } = await rest.next();
    if (done) return { kind: 'whole', bytes: Buffer.concat(chunks) };
    length += value.length;
    chunks.push(value);
  }
  return { kind: 'longer', first: Buffer.concat(chunks), rest };
}

/**
 * How long a body says it is. `chunked`: it says so when it ends. `unknown`: it ends with the connection, and then
 * nobody can tell a whole one from one that was cut.
 */
export function announcedLength({ headers }: IncomingMessage): number | 'chunked' | 'unknown' {
  if (headers['transfer-encoding'] !== undefined) {
    return /(^|,)\s*chunked\s*$/i.test(headers['transfer-encoding']) ? 'chunked' : 'unknown';
  }
  const length = headers['content-length'];
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : 'unknown';
}
