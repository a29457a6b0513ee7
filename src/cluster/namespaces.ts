import { createInterner, type Interner } from './interner.ts';
import type { Namespace } from './objects.ts';
import { projectAnnotations, projectIdentity } from './project-object.ts';
import { createReflector, type ReflectorSettings } from './reflector.ts';
import type { Watch } from './watch.ts';

export interface WatchNamespacesOptions extends ReflectorSettings {
  /** The annotations that are kept; all others are dropped. */
  readonly keepAnnotations: ReadonlySet<string>;
}

/**
 * Watches the namespaces of the cluster: their metadata only, which is all that is looked at. Needs the rights to
 * list and watch namespaces.
 */
export function watchNamespaces({ keepAnnotations, ...settings }: WatchNamespacesOptions): Watch<Namespace> {
  const intern = createInterner();
  return createReflector({
    ...settings,
    resource: { path: '/api/v1/namespaces', name: 'namespaces', metadataOnly: true },
    project: (raw) => projectNamespace(raw, keepAnnotations, intern),
  });
}

/** What podpass keeps of a namespace, or `undefined` when `raw` has no UID, name or resource version. */
export function projectNamespace(
  raw: unknown,
  keepAnnotations: ReadonlySet<string>,
  intern: Interner = (text) => text,
): Namespace | undefined {
  const identity = projectIdentity(raw, intern);
  if (!identity) return undefined;
  return { ...identity, namespace: '', annotations: projectAnnotations(raw, keepAnnotations, intern) };
}
