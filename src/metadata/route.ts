import { splitTarget } from './request-target.ts';

/**
 * What a request target asks for. `version` is the first segment of the path (`latest`, `2009-04-04`), any text.
 *
 * `other` is the only kind that may ever be sent upstream. Its path is cleaned and made of characters that need no
 * percent-encoding, so the text that policy is checked on is, byte for byte, the text that goes upstream.
 */
export type Route =
  | { readonly kind: 'token' }
  | { readonly kind: 'list'; readonly version: string }
  /** `role` is what follows the tree's name, without slashes at its ends: a name, `path/name` or a full ARN. */
  | { readonly kind: 'credentials'; readonly version: string; readonly role: string }
  | { readonly kind: 'ping' }
  | { readonly kind: 'health' }
  | { readonly kind: 'healthz' }
  | { readonly kind: 'other'; readonly path: string }
  /** Inside a tree of credentials, or near one, and not a route of ours: never sent upstream. */
  | { readonly kind: 'forbidden-tree' }
  | { readonly kind: 'bad-request'; readonly why: string };

/** Longer targets are refused. The longest that can mean something is a role ARN of 2,048 characters behind the tree. */
export const longestTarget = 2_304;

/** Printable ASCII without space and backslash: all that the name of a role or a path of metadata can hold. */
const permitted = /^[!-[\]-~]+$/;

/** What paths of the EC2 metadata service are made of. None of these is ever written percent-encoded. */
const plain = /^[\w+=,.:@/-]+$/;

/**
 * Reads the target of a request line. Decodes once, cleans dot segments and repeated slashes, and then compares.
 * Pure; never throws.
 *
 * kiam matched the decoded path but let an encoded line feed slip past its credentials route to the proxy. Here the
 * guarded trees are recognised in any spelling first, and what is not clearly something else is not sent anywhere.
 */
export function routeOf(target: string): Route {
  if (target.length > longestTarget) return bad('the request target is too long');
  const split = splitTarget(target);
  if (split === undefined) return bad('the request target is neither a path nor an http URL');
  const decoded = decodeOnce(split.path);
  if (decoded === undefined) return bad('the path is not percent-encoded UTF-8');
  if (!permitted.test(decoded)) return bad('the path holds a character that no metadata path has');

  const segments = cleanSegments(decoded);
  const directory = /\/\.{0,2}$/.test(decoded);
  return ownRoute(segments, directory) ?? foreignRoute(segments, directory);
}

function ownRoute(segments: readonly string[], directory: boolean): Route | undefined {
  const [version = '', first, second, tree] = segments;
  if (segments.length === 1 && !directory && isProbe(version)) return { kind: version };
  if (segments.length === 3 && first === 'api' && second === 'token') return { kind: 'token' };
  if (first !== 'meta-data' || second !== 'iam' || tree !== 'security-credentials') return undefined;
  if (segments.length === 4) return { kind: 'list', version };
  return { kind: 'credentials', version, role: segments.slice(4).join('/') };
}

/** What kubelet and people ask: kiam's two, and kube2iam's. */
function isProbe(name: string): name is 'ping' | 'health' | 'healthz' {
  return name === 'ping' || name === 'health' || name === 'healthz';
}

function foreignRoute(segments: readonly string[], directory: boolean): Route {
  if (hidesTree(segments.join(''))) return { kind: 'forbidden-tree' };
  const path = `/${segments.join('/')}${directory && segments.length > 0 ? '/' : ''}`;
  // A percent sign that is left was encoded twice; a semicolon would begin parameters for some servers.
  if (!plain.test(path)) return bad('the path holds a character that no metadata path has');
  return { kind: 'other', path };
}

/**
 * Whether the name of a tree of credentials, or that of session tokens, is left when everything but letters is taken
 * away. So it does not matter how an upstream cleans what it is sent: `secu../rity-credentials` is no less guarded
 * than the name itself, in any case, and so are the `-extended` tree and whatever is added later.
 */
function hidesTree(path: string): boolean {
  return /securitycredentials|identitycredentials|apitoken/i.test(path.replace(/[^a-z]/gi, ''));
}

function decodeOnce(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** RFC 3986, 5.2.4, and repeated slashes count as one. A slash that was encoded counts too, as it did in kiam. */
function cleanSegments(path: string): string[] {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}

function bad(why: string): Route {
  return { kind: 'bad-request', why };
}
