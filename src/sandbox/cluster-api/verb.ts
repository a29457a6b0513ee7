import type { Route } from './route.ts';
import { isTrue } from './watch-request.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/**
 * What a request wants of what its path names, in the words of RBAC. `undefined` when the method does not go with the
 * path, or the resource does not have the verb.
 */
export function verbOf(method: string, route: Route, query: URLSearchParams): Verb | undefined {
  const verb = verbOfMethod(method, route, isTrue(query.get('watch')));
  if (!verb) return undefined;
  if (route.subresource === 'token') return verb === 'create' ? verb : undefined;
  return route.resource.verbs.includes(verb) ? verb : undefined;
}

function verbOfMethod(method: string, route: Route, watch: boolean): Verb | undefined {
  const { resource, namespace, name, subresource } = route;
  if (name === undefined) {
    if (method === 'GET') return watch ? 'watch' : 'list';
    // Objects are made in, and emptied out of, one namespace at a time.
    if (resource.namespaced && namespace === undefined) return undefined;
    if (method === 'POST') return 'create';
    return method === 'DELETE' ? 'deletecollection' : undefined;
  }
  switch (method) {
    case 'GET':
      return 'get';
    case 'POST':
      return subresource === 'token' ? 'create' : undefined;
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return subresource ? undefined : 'delete';
    default:
      return undefined;
  }
}
