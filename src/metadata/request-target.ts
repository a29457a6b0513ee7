/** The parts of a request target. Nothing in them is decoded. */
export interface RequestTarget {
  /** `host[:port]` of an absolute-form target; it stands in for the Host header then (RFC 9112, 3.2.2). */
  readonly authority?: string;
  /** Begins with `/`. */
  readonly path: string;
  /** What follows `?`, without it; empty if there is nothing. */
  readonly query: string;
}

const absolute = /^http:\/\/([^/?#@]+)(?=[/?]|$)/i;

/**
 * Splits a request target in origin form (`/latest/…`) or absolute form (`http://169.254.169.254/latest/…`).
 * Undefined for the other forms (`*`, `host:port`), for other schemes and for anything with a fragment.
 */
export function splitTarget(target: string): RequestTarget | undefined {
  if (target.includes('#')) return undefined;
  if (target.startsWith('/')) return splitPath(target);
  const authority = absolute.exec(target)?.[1];
  if (authority === undefined) return undefined;
  const rest = target.slice('http://'.length + authority.length);
  return { authority, ...splitPath(rest.startsWith('/') ? rest : `/${rest}`) };
}

function splitPath(target: string): { path: string; query: string } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: '' };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
