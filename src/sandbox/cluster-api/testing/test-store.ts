import { createFakeClock, type FakeClock } from '../../../base/fake-clock.ts';
import { createSeededRandom } from '../../../base/random.ts';
import type { JsonObject } from '../json.ts';
import { startNamespaceLifecycle } from '../namespace-lifecycle.ts';
import { createObjectStore, type ObjectStore } from '../object-store.ts';
import type { KubeObject } from '../objects.ts';
import { resourceNamed } from '../resources.ts';
import { accepted } from './outcomes.ts';

export const pods = resourceNamed('pods');
export const namespaces = resourceNamed('namespaces');
export const serviceAccounts = resourceNamed('serviceaccounts');
export const nodes = resourceNamed('nodes');
export const configMaps = resourceNamed('configmaps');
export const deployments = resourceNamed('deployments.apps');

export interface TestStore {
  readonly clock: FakeClock;
  readonly store: ObjectStore;
}

/** A store on a fake clock with the namespaces that every cluster has. */
export function testStore(historyLimit?: number): TestStore {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const store = createObjectStore({ clock, random, ...(historyLimit !== undefined && { historyLimit }) });
  startNamespaceLifecycle(store);
  return { clock, store };
}

/** What a client would send for a pod in `default`. */
export function podDraft(
  name: string,
  more: { metadata?: JsonObject; spec?: JsonObject; status?: JsonObject } = {},
) {
  return {
    metadata: { name, namespace: 'default', ...more.metadata },
    spec: { containers: [{ name: 'main', image: 'web:1' }], ...more.spec },
    ...(more.status && { status: more.status }),
  };
}

export function createPod(
  store: ObjectStore,
  name: string,
  more: Parameters<typeof podDraft>[1] = {},
): KubeObject {
  return accepted(store.create(pods, podDraft(name, more)));
}

/** As a client that has just read the object and changes this much of it. */
export function changed(object: KubeObject, metadata: JsonObject, rest: JsonObject = {}): JsonObject {
  return { ...object, ...rest, metadata: { ...object.metadata, ...metadata } };
}
