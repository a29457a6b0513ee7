import type { Route } from './route.ts';
import { forbidden, type Refused } from './status.ts';
import type { User } from './users.ts';
import type { Verb } from './verb.ts';

/**
 * Says whether a user may do something. There is no RBAC behind it: roles and bindings are kept like any other
 * object and nobody looks at them. By default everyone who is somebody may do everything; a test that wants less
 * passes a function of its own.
 *
 * @param resource `pods`, `deployments.apps`, `serviceaccounts/token`
 * @param namespace empty: all of them, or a resource that has none
 */
export type Authorize = (user: User, verb: string, resource: string, namespace: string) => boolean;

export const allowAll: Authorize = () => true;

/** How an `Authorize` names what a route is about. */
export function authorizedResource({ resource: { plural, group }, subresource }: Route): string {
  return `${plural}${group && `.${group}`}${subresource ? `/${subresource}` : ''}`;
}

/** The refusal (403) of what a user may not do, in the words of a real API server. */
export function denied(user: User, verb: Verb, route: Route): Refused {
  const { resource, namespace, name = '', subresource } = route;
  const what = subresource ? `${resource.plural}/${subresource}` : resource.plural;
  const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  const why = `User "${user.username}" cannot ${verb} resource "${what}" in API group "${resource.group}" ${where}`;
  return forbidden(resource, name, why);
}
