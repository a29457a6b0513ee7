import type { Change } from './change-history.ts';
import type { ObjectStore } from './object-store.ts';
import type { KubeObject } from './objects.ts';
import { isStored, resourceNamed, resources } from './resources.ts';

const namespaces = resourceNamed('namespaces');
const serviceAccounts = resourceNamed('serviceaccounts');
const homes = resources.filter((resource) => resource.namespaced && isStored(resource));

/** What every cluster starts with. */
const initial = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/**
 * Does the controller manager's part for namespaces, at once: a new one gets its `default` service account, and a
 * deleted one loses its objects and then goes itself. Makes the namespaces that every cluster has.
 */
export function startNamespaceLifecycle(store: ObjectStore): void {
  store.subscribe((change) => {
    if (change.resource === namespaces) onNamespace(store, change);
    else if (change.type === 'DELETED' && change.resource.namespaced) {
      const home = store.get(namespaces, '', change.object.metadata.namespace ?? '');
      if (home?.metadata.deletionTimestamp) releaseIfEmpty(store, home);
    }
  });
  for (const name of initial) store.create(namespaces, { metadata: { name } });
}

function onNamespace(store: ObjectStore, { type, object, previous }: Change): void {
  const { name } = object.metadata;
  if (type === 'ADDED') store.create(serviceAccounts, { metadata: { name: 'default', namespace: name } });
  if (type !== 'MODIFIED' || !object.metadata.deletionTimestamp || previous?.metadata.deletionTimestamp)
    return;
  const { resourceVersion: _, ...metadata } = object.metadata;
  store.update(namespaces, { ...object, metadata, status: { phase: 'Terminating' } }, { part: 'status' });
  for (const resource of homes) {
    for (const inside of store.list(resource, name)) store.delete(resource, name, inside.metadata.name);
  }
  releaseIfEmpty(store, object);
}

function releaseIfEmpty(store: ObjectStore, home: KubeObject): void {
  const { name } = home.metadata;
  if (homes.some((resource) => store.list(resource, name).length > 0)) return;
  store.update(namespaces, { metadata: { name }, spec: { finalizers: [] } }, { part: 'finalize' });
}
