import type { Namespace } from '../cluster/objects.ts';
import type { PodView } from './broker.ts';

/** What kube2iam's `/debug/store` shows, under its names. */
export interface StoreDescription {
  readonly namespaceByIP: Readonly<Record<string, string>>;
  /** The name of the role that the pod is bound to; empty for a pod without one. */
  readonly rolesByIP: Readonly<Record<string, string>>;
  /** The namespace's list; `null` where there is none, and the text of the annotation where it is no list. */
  readonly rolesByNamespace: Readonly<Record<string, readonly string[] | string | null>>;
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
      [...namespaces].map(({ name, annotations }) => [name, listOrText(annotations[namespaceKey])]),
    ),
  };
}

function listOrText(text: string | undefined): readonly string[] | string | null {
  if (text === undefined) return null;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((entry) => typeof entry === 'string') ? list : text;
  } catch {
    return text;
  }
}
