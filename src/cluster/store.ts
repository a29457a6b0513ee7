import { messageOf } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ClusterObject } from './objects.ts';
import { isNotNewer, newerResourceVersion } from './resource-version.ts';
import type { Watch, WatchListener, WatchStatus } from './watch.ts';

/** The objects of one resource as last heard, and whoever wants to hear of them. */
export interface Store<T extends ClusterObject>
  extends Pick<Watch<T>, 'get' | 'getByName' | 'values' | 'size' | 'subscribe'> {
  /** Takes in an ADDED or MODIFIED event. News that is old is ignored. */
  upsert(object: T): void;
  /** Takes in a DELETED event. `object` carries the resource version of the deletion. */
  remove(object: ClusterObject): void;
  /** Takes in a complete list: what is not in it is gone. `resourceVersion` is the list's. */
  replace(objects: Iterable<T>, resourceVersion: string): void;
  /** The resource version of the newest change that was taken in. `undefined` while there was none. */
  readonly changed: string | undefined;
  /** Tells the listeners of a status. */
  announce(status: WatchStatus): void;
}

export interface StoreOptions {
  readonly logger: Logger;
  /** For the log: `pods`. */
  readonly resource: string;
  readonly status: () => WatchStatus;
}

/** So many deletions are remembered; events are never that late. */
const maxTombstones = 10_000;

/**
 * Holds objects by UID, and knows which of them has a name now.
 *
 * A name's history is a line: one object at a time, each change with a newer resource version. So an event about a
 * name is old, whichever UID it speaks of, when its version is not newer than what is held under that name, than the
 * last deletion there, or than the last complete list.
 */
export function createStore<T extends ClusterObject>({ logger, resource, status }: StoreOptions): Store<T> {
  const byUid = new Map<string, T>();
  /** By namespace, then by name: two look-ups are cheaper than a joined key kept for each object. */
  const byName = new Map<string, Map<string, T>>();
  /** Names whose object was deleted since the last list, with the version of the deletion. */
  const tombstones = new Map<string, string>();
  let listedAt: string | undefined;
  let changed: string | undefined;
  let listeners: readonly WatchListener<T>[] = [];

  function tell(call: (listener: WatchListener<T>) => void): void {
    // Of this moment: who subscribes from within a call is told of what is held, this change included, by subscribe.
    for (const listener of listeners) {
      if (listeners.includes(listener)) callSafely(listener, call);
    }
  }

  function callSafely(listener: WatchListener<T>, call: (listener: WatchListener<T>) => void): void {
    try {
      call(listener);
    } catch (thrown) {
      const fields = {
        resource,
        error: messageOf(thrown),
        stack: thrown instanceof Error ? thrown.stack : undefined,
      };
      logger.error(fields, 'a listener of the watch failed; the watch goes on. This is a defect in podpass');
    }
  }

  function noteChange({ resourceVersion }: ClusterObject): void {
    changed = changed === undefined ? resourceVersion : newerResourceVersion(changed, resourceVersion);
  }

  function holderOf({ namespace, name }: ClusterObject): T | undefined {
    return byName.get(namespace)?.get(name);
  }

  function put(object: T): void {
    const previous = byUid.get(object.uid);
    byUid.set(object.uid, object);
    let names = byName.get(object.namespace);
    if (!names) {
      names = new Map();
      byName.set(object.namespace, names);
    }
    names.set(object.name, object);
    tell((listener) => listener.upsert(object, previous));
  }

  function drop(object: T): void {
    byUid.delete(object.uid);
    const names = byName.get(object.namespace);
    if (names?.get(object.name)?.uid === object.uid) {
      names.delete(object.name);
      if (names.size === 0) byName.delete(object.namespace);
    }
    tell((listener) => listener.remove(object));
  }

  function bury(object: ClusterObject): void {
    const key = tombstoneKey(object);
    tombstones.delete(key);
    tombstones.set(key, object.resourceVersion);
    if (tombstones.size > maxTombstones) {
      for (const oldest of tombstones.keys()) {
        tombstones.delete(oldest);
        break;
      }
    }
  }

  function isOld(object: ClusterObject): boolean {
    const { resourceVersion } = object;
    return (
      isNotNewer(resourceVersion, listedAt) ||
      isNotNewer(resourceVersion, holderOf(object)?.resourceVersion) ||
      isNotNewer(resourceVersion, tombstones.get(tombstoneKey(object)))
    );
  }

  return {
    get: (uid) => byUid.get(uid),
    getByName: (namespace, name) => byName.get(namespace)?.get(name),
    values: () => byUid.values(),
    get size() {
      return byUid.size;
    },
    get changed() {
      return changed;
    },
    subscribe(listener) {
      const own: WatchListener<T> = {
        upsert: (object, previous) => listener.upsert(object, previous),
        remove: (object) => listener.remove(object),
        status: (now) => listener.status(now),
      };
      listeners = [...listeners, own];
      for (const object of [...byUid.values()]) callSafely(own, () => listener.upsert(object, undefined));
      callSafely(own, () => listener.status(status()));
      return () => {
        listeners = listeners.filter((other) => other !== own);
      };
    },
    upsert(object) {
      if (isOld(object)) return;
      noteChange(object);
      const holder = holderOf(object);
      if (holder && holder.uid !== object.uid) drop(holder);
      put(object);
    },
    remove(object) {
      const held = byUid.get(object.uid);
      // A server may name the last version of the object instead of the deletion's: that is this very object.
      const names = held?.resourceVersion === object.resourceVersion;
      if (!names && isOld(object)) return;
      noteChange(object);
      bury(object);
      // Another object that had the name before this one has lost it as well.
      const holder = holderOf(object);
      if (holder && holder !== held && isNotNewer(holder.resourceVersion, object.resourceVersion))
        drop(holder);
      if (held) drop(held);
    },
    replace(objects, resourceVersion) {
      const listed = new Map<string, T>();
      for (const object of objects) listed.set(object.uid, object);
      changed = undefined;
      for (const object of listed.values()) noteChange(object);
      // When something went is not told by a list: no later than the list.
      const isGone = (held: T) => !listed.has(held.uid);
      if ([...byUid.values()].some(isGone)) changed = resourceVersion;
      // All that is gone first: a name or an address must be free before another object is told to have it.
      for (const held of [...byUid.values()]) if (isGone(held)) drop(held);
      tombstones.clear();
      listedAt = resourceVersion;
      // The list is the truth even where its versions are lower: the cluster may have been restored from a backup.
      for (const object of listed.values()) {
        if (byUid.get(object.uid)?.resourceVersion !== object.resourceVersion) put(object);
      }
    },
    announce: (now) => tell((listener) => listener.status(now)),
  };
}

function tombstoneKey({ namespace, name }: ClusterObject): string {
  return `${namespace}/${name}`;
}
