import type { IncomingMessage } from 'node:http';

/** What a request for a profile comes to. */
export type ProfileRoute =
  | { readonly kind: 'index' }
  | { readonly kind: 'profile'; readonly of: 'cpu' | 'heap'; readonly seconds: number }
  | { readonly kind: 'refused'; readonly status: number; readonly text: string };

/** As Go's. */
const usualSeconds = 30;
/** A profile slows the process a little, and grows with time. */
const mostSeconds = 120;

/** Names of loopback, with or without a port. Any other name was brought here by somebody's DNS. */
const ownNames = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/;

/**
 * Reads a request for a profile. A web page must not be able to ask for one through the browser of who forwards the
 * port: neither under a name of its own, nor from another origin.
 */
export function routeProfile({
  method,
  url = '',
  headers,
}: Pick<IncomingMessage, 'method' | 'url' | 'headers'>): ProfileRoute {
  if (!ownNames.test(headers.host ?? ''))
    return refused(403, 'profiles are for loopback: ask under the name localhost or 127.0.0.1');
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none' && site !== 'same-origin'))
    return refused(403, 'profiles are not for web pages');
  if (method !== 'GET') return refused(405, 'profiles are asked for with GET');

  const [path, query = ''] = url.split('?', 2);
  switch (path) {
    case '/debug/pprof':
    case '/debug/pprof/':
      return { kind: 'index' };
    case '/debug/pprof/profile':
      return profile('cpu', query);
    case '/debug/pprof/heap':
      return profile('heap', query);
    default:
      return refused(404, 'try /debug/pprof/');
  }
}

function profile(of: 'cpu' | 'heap', query: string): ProfileRoute {
  const text = new URLSearchParams(query).get('seconds') ?? String(usualSeconds);
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > mostSeconds)
    return refused(400, `seconds must be a whole number from 1 to ${mostSeconds}`);
  return { kind: 'profile', of, seconds };
}

function refused(status: number, text: string): ProfileRoute {
  return { kind: 'refused', status, text };
}
