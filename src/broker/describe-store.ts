import type { Namespace } from '../cluster/objects.ts';
import type { PodView } from './broker.ts';

/** What kube2iam's `/debug/store` shows, under its names. */
export interface StoreDescription {
  readonly namespaceByIP: Readonly<Record<string, string>>;
  /** The name of the role that the pod is bound to; empty for a pod without one. */
  readonly rolesByIP: Readonly<Record<string, string>>;
  /** What the annotation of the namespace permits, as it is written; `null` where there is none. */
  readonly rolesByNamespace: Readonly<Record<string, string | null>>;
}

/** As in kube2iam, an address that several pods claim is left out. No external id and no credentials are in it. */
export function describeStore(
  views: Iterable<PodView>,
  namespaces: Iterable<Namespace>,
  namespaceKey: string,
): StoreDescription {
  const owners = new Map<string, PodView | undefined>();
  for (const view of views)
    for (const address of view.addresses) owners.set(address, owners.has(address) ? undefined : view);
  const owned = [...owners].filter((entry): entry is [string, PodView] => entry[1] !== undefined);
  return {
    namespaceByIP: Object.fromEntries(owned.map(([address, { namespace }]) => [address, namespace])),
    rolesByIP: Object.fromEntries(
      owned.map(([address, { decision }]) => [address, 'role' in decision ? decision.role.name : '']),
    ),
    rolesByNamespace: Object.fromEntries(
      [...namespaces].map(({ name, annotations }) => [name, annotations[namespaceKey] ?? null]),
    ),
  };
}
