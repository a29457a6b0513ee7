import { isObject, type JsonObject } from './json.ts';
import type { Draft, KubeObject } from './objects.ts';
import { type Resource, resourceKey, resourceNamed } from './resources.ts';
import { badRequest, done, forbidden, notFound, type Outcome } from './status.ts';

const namespaces = resourceNamed('namespaces');

/**
 * What happens to an object on its way in: its namespace must exist and not be on its way out, and it gets the few
 * defaults that podpass and kubectl count on.
 *
 * @param get looks up what is stored
 */
export function admitNew(
  resource: Resource,
  draft: Draft,
  get: (resource: Resource, namespace: string, name: string) => KubeObject | undefined,
): Outcome<Draft> {
  if (!resource.namespaced) return done(withDefaults(resource, draft));
  const { namespace = '', name = '' } = draft.metadata;
  if (!namespace) return badRequest(`${draft.kind} "${name}" has no metadata.namespace`);
  const home = get(namespaces, '', namespace);
  if (!home) return notFound(namespaces, namespace);
  if (home.metadata.deletionTimestamp) {
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    return forbidden(resource, name, why);
  }
  return done(withDefaults(resource, draft));
}

function withDefaults(resource: Resource, draft: Draft): Draft {
  switch (resourceKey(resource)) {
    case 'pods': {
      const { serviceAccountName, ...spec } = part(draft, 'spec');
      const { phase, ...status } = part(draft, 'status');
      return {
        ...draft,
        spec: { ...spec, serviceAccountName: serviceAccountName || 'default' },
        status: { ...status, phase: phase || 'Pending' },
      };
    }
    case 'namespaces': {
      const { labels, name } = draft.metadata;
      return {
        ...draft,
        metadata: {
          ...draft.metadata,
          labels: { ...labels, ...(name && { 'kubernetes.io/metadata.name': name }) },
        },
        // The finalizer holds the namespace until its objects are gone: namespace-lifecycle.ts.
        spec: { ...part(draft, 'spec'), finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      };
    }
    default:
      return draft;
  }
}

function part(draft: Draft, field: string): JsonObject {
  const value = draft[field];
  return isObject(value) ? value : {};
}
