import type { ClusterObject } from '../../cluster/objects.ts';
import type { Watch, WatchListener, WatchPosition, WatchStatus } from '../../cluster/watch.ts';

/** A watch that a test drives by hand. */
export interface FakeWatch<T extends ClusterObject> extends Watch<T> {
  position: WatchPosition;
  setStatus(status: WatchStatus): void;
  set(object: T): void;
  delete(uid: string): void;
}

export function createFakeWatch<T extends ClusterObject>(): FakeWatch<T> {
  const objects = new Map<string, T>();
  const listeners = new Set<WatchListener<T>>();
  let status: WatchStatus = { kind: 'live' };
  return {
    set(object) {
      const previous = objects.get(object.uid);
      objects.set(object.uid, object);
      for (const listener of listeners) listener.upsert(object, previous);
    },
    delete(uid) {
      const object = objects.get(uid);
      objects.delete(uid);
      if (object) for (const listener of listeners) listener.remove(object);
    },
    get: (uid) => objects.get(uid),
    getByName: (namespace, name) =>
      [...objects.values()].find((o) => o.namespace === namespace && o.name === name),
    values: () => objects.values(),
    get size() {
      return objects.size;
    },
    get status() {
      return status;
    },
    position: { known: undefined, changed: undefined },
    setStatus(next) {
      status = next;
      for (const listener of listeners) listener.status(next);
    },
    subscribe(listener) {
      listeners.add(listener);
      for (const object of objects.values()) listener.upsert(object, undefined);
      listener.status(status);
      return () => listeners.delete(listener);
    },
    run: () => Promise.resolve(),
  };
}
