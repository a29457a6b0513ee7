import { findResource, type Resource, type Subresource } from './resources.ts';

/** What a path of the API is about. */
export interface Route {
  readonly resource: Resource;
  /** Absent: all namespaces, or a resource that has none. */
  readonly namespace?: string;
  /** Absent: the collection. */
  readonly name?: string;
  readonly subresource?: Subresource;
}

/**
 * Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`. `undefined` when there is no such resource or subresource, or the
 * path is not well formed. Discovery documents are not routes: `discovery.ts`.
 */
export function parseRoute(path: string): Route | undefined {
  const segments = decode(path);
  if (!segments) return undefined;
  if (segments[0] === 'api') return parseResource('', segments[1] ?? '', segments.slice(2));
  if (segments[0] === 'apis') return parseResource(segments[1] ?? '', segments[2] ?? '', segments.slice(3));
  return undefined;
}

function parseResource(group: string, version: string, rest: readonly string[]): Route | undefined {
  const [first = '', second = '', third = '', ...more] = rest;
  if (first === 'namespaces' && third) {
    const inside = findResource(group, version, third);
    if (inside?.namespaced) return parseObject(inside, more, second);
  }
  const resource = findResource(group, version, first);
  return resource && parseObject(resource, rest.slice(1));
}

function parseObject(resource: Resource, rest: readonly string[], namespace?: string): Route | undefined {
  const [name, subresource] = rest;
  // An object that has a namespace is not found without it; only the collection spans all.
  if (rest.length > 2 || (name !== undefined && resource.namespaced && namespace === undefined))
    return undefined;
  const known = resource.subresources.find((one) => one === subresource);
  if (subresource !== undefined && !known) return undefined;
  return {
    resource,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(known && { subresource: known }),
  };
}

/** The parts of a path; one trailing slash is forgiven, an empty part or a broken escape is not. */
function decode(path: string): readonly string[] | undefined {
  const parts = path.replace(/\/$/, '').split('/').slice(1);
  try {
    const segments = parts.map(decodeURIComponent);
    return segments.every((segment) => segment !== '') ? segments : undefined;
  } catch {
    return undefined;
  }
}
