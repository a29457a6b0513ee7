import type { IncomingHttpHeaders } from 'node:http';

/**
 * What goes to the real metadata service of the client's headers: what chooses among forms of the answer. All others
 * stay here: the token is one of ours, `X-Forwarded-For` makes the service refuse, and the rest is about the client's
 * connection (RFC 9110, 7.6.1) or means nothing there.
 */
const towardsUpstream = new Map(
  [
    'Accept',
    'If-Match',
    'If-None-Match',
    'If-Modified-Since',
    'If-Unmodified-Since',
    'If-Range',
    'Range',
  ].map((name) => [name.toLowerCase(), name]),
);

/** What goes to the client of the service's: what describes the body. */
const towardsClient = [
  'ETag',
  'Last-Modified',
  'Accept-Ranges',
  'Content-Range',
  'Content-Encoding',
  'Content-Language',
  'Retry-After',
].map((name) => [name.toLowerCase(), name] as const);

/** Longer values are left out; none of these has a reason to be long. */
const shape = /^[\t -~]{1,512}$/;

/**
 * Picks the client's headers that are passed on. One that stands twice, or that `Connection` names, is left out: what
 * the client then gets is the plain answer, which is right under any of them.
 */
export function headersForUpstream(rawHeaders: readonly string[]): Record<string, string> {
  const found = new Map<string, string | undefined>();
  let connection = '';
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const key = rawHeaders[i]?.toLowerCase() ?? '';
    const value = rawHeaders[i + 1] ?? '';
    if (key === 'connection') connection += `,${value}`;
    const name = towardsUpstream.get(key);
    if (name !== undefined) found.set(name, found.has(name) || !shape.test(value) ? undefined : value);
  }
  const named = namedBy(connection);
  const passed: Record<string, string> = {};
  for (const [name, value] of found) {
    if (value !== undefined && !named.has(name.toLowerCase())) passed[name] = value;
  }
  return passed;
}

/** Picks the service's headers that are passed on, as a flat list. Its content type is not among them. */
export function headersForClient(headers: IncomingHttpHeaders): string[] {
  const named = namedBy(headers.connection);
  return towardsClient.flatMap(([key, name]) => {
    const value = headers[key];
    return typeof value === 'string' && shape.test(value) && !named.has(key) ? [name, value] : [];
  });
}

/** The service's content type; that of plain bytes where it has none that may stand in a header. */
export function contentTypeFor({ 'content-type': type }: IncomingHttpHeaders, otherwise: string): string {
  if (type === undefined) return otherwise;
  return shape.test(type) ? type : 'application/octet-stream';
}

function namedBy(connection: string | undefined): ReadonlySet<string> {
  return new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
}
