import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { admitNew } from './admission.ts';
import { type Change, createChangeHistory } from './change-history.ts';
import { deepFreeze, type Json, listAt } from './json.ts';
import { newObject, updatedObject } from './object-meta.ts';
import { type KubeObject, parseDraft, timestamp } from './objects.ts';
import { type Resource, resourceKey } from './resources.ts';
import { alreadyExists, conflict, done, notFound, type Outcome } from './status.ts';

export interface ObjectStoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How many changes watches can resume from. Default 10,000. */
  readonly historyLimit?: number;
}

export interface WriteOptions {
  /** Everything is checked and nothing is written. */
  readonly dryRun?: boolean;
}

export interface UpdateOptions extends WriteOptions {
  /** Changes this part only. */
  readonly part?: 'status' | 'finalize';
}

export interface DeleteOptions extends WriteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** `gone` is false while finalizers hold the object, which then has a deletion timestamp. */
export interface Deletion {
  readonly object: KubeObject;
  readonly gone: boolean;
}

/**
 * The objects of a small cluster, without their schemas: any fields are kept as they come. One counter gives all
 * resource versions; every write is checked against the version it was based on; finalizers hold deleted objects.
 *
 * Deliberately simpler than etcd and a real API server: pods go at once, without a grace period; nothing collects
 * the garbage of owners; a created object keeps the `status` it was sent with, because no kubelet will make one.
 */
export interface ObjectStore {
  /** The version of the latest change. */
  readonly resourceVersion: number;
  get(resource: Resource, namespace: string, name: string): KubeObject | undefined;
  /** All of a resource, or those of one namespace, by namespace and name. */
  list(resource: Resource, namespace?: string): readonly KubeObject[];
  /** As `list` was at a version of the past. Refused when the history does not reach there. */
  listAt(resource: Resource, resourceVersion: number, namespace?: string): Outcome<readonly KubeObject[]>;
  create(resource: Resource, object: Json, options?: WriteOptions): Outcome<KubeObject>;
  /** Replaces the object of the same name. Without a resource version in it the last writer wins. */
  update(resource: Resource, object: Json, options?: UpdateOptions): Outcome<KubeObject>;
  delete(resource: Resource, namespace: string, name: string, options?: DeleteOptions): Outcome<Deletion>;
  /** The changes after a version. Refused (410 Expired) when the history does not reach there. */
  since(resource: Resource, resourceVersion: number): Outcome<readonly Change[]>;
  /** Tells of each change, in order, also of those that a listener makes. Returns how to stop. */
  subscribe(listener: (change: Change) => void): () => void;
  /** Makes every version handed out so far too old to resume from. */
  expireHistory(): void;
}

export function createObjectStore({ clock, random, historyLimit = 10_000 }: ObjectStoreOptions): ObjectStore {
  const tables = new Map<string, Map<string, KubeObject>>();
  const history = createChangeHistory(historyLimit);
  const listeners = new Set<(change: Change) => void>();
  const untold: Change[] = [];
  let telling = false;
  let resourceVersion = 0;

  function table(resource: Resource): Map<string, KubeObject> {
    const key = resourceKey(resource);
    const found = tables.get(key) ?? new Map<string, KubeObject>();
    tables.set(key, found);
    return found;
  }

  function get(resource: Resource, namespace: string, name: string): KubeObject | undefined {
    return table(resource).get(objectKey(resource, namespace, name));
  }

  function commit(
    type: Change['type'],
    resource: Resource,
    object: KubeObject,
    previous?: KubeObject,
  ): KubeObject {
    resourceVersion += 1;
    const metadata = { ...object.metadata, resourceVersion: String(resourceVersion) };
    const committed = deepFreeze({ ...object, metadata });
    const key = objectKey(resource, metadata.namespace ?? '', metadata.name);
    if (type === 'DELETED') table(resource).delete(key);
    else table(resource).set(key, committed);
    const change = { type, resource, object: committed, ...(previous && { previous }), resourceVersion };
    history.add(change);
    untold.push(change);
    tell();
    return committed;
  }

  /** A listener may write; its changes wait here, so that every listener sees all changes in one order. */
  function tell(): void {
    if (telling) return;
    telling = true;
    try {
      for (let change = untold.shift(); change; change = untold.shift()) {
        for (const listener of listeners) listener(change);
      }
    } finally {
      telling = false;
    }
  }

  return {
    get resourceVersion() {
      return resourceVersion;
    },
    get,
    list: (resource, namespace) => select(table(resource).values(), namespace),
    listAt(resource, version, namespace) {
      const changes = history.since(resource, version);
      if (changes.kind === 'refused') return changes;
      const then = new Map(table(resource));
      for (const { object, previous } of changes.value.toReversed()) {
        const key = objectKey(resource, object.metadata.namespace ?? '', object.metadata.name);
        if (previous) then.set(key, previous);
        else then.delete(key);
      }
      return done(select(then.values(), namespace));
    },
    create(resource, object, { dryRun = false } = {}) {
      const draft = parseDraft(resource, structuredClone(object));
      if (draft.kind === 'refused') return draft;
      const admitted = admitNew(resource, draft.value, get);
      if (admitted.kind === 'refused') return admitted;
      const made = newObject(resource, admitted.value, clock.now(), random);
      if (made.kind === 'refused') return made;
      const { namespace = '', name } = made.value.metadata;
      if (get(resource, namespace, name)) return alreadyExists(resource, name);
      return done(dryRun ? deepFreeze(made.value) : commit('ADDED', resource, made.value));
    },
    update(resource, object, { dryRun = false, part } = {}) {
      const draft = parseDraft(resource, structuredClone(object));
      if (draft.kind === 'refused') return draft;
      const { namespace = '', name = '' } = draft.value.metadata;
      const stored = get(resource, namespace, name);
      if (!stored) return notFound(resource, name);
      const next = updatedObject(resource, stored, draft.value, part);
      if (next.kind === 'refused' || next.value === stored) return next;
      if (dryRun) return done(deepFreeze(next.value));
      const committed = commit('MODIFIED', resource, next.value, stored);
      if (stored.metadata.deletionTimestamp && !isHeld(committed)) {
        commit('DELETED', resource, committed, committed);
      }
      return done(committed);
    },
    delete(resource, namespace, name, { dryRun = false, uid, resourceVersion: version } = {}) {
      const stored = get(resource, namespace, name);
      if (!stored) return notFound(resource, name);
      for (const [field, asked, actual] of [
        ['UID', uid, stored.metadata.uid],
        ['ResourceVersion', version, stored.metadata.resourceVersion],
      ]) {
        if (asked === undefined || asked === actual) continue;
        const why = `Precondition failed: ${field} in precondition: ${asked}, ${field} in object meta: ${actual}`;
        return conflict(resource, name, why);
      }
      if (!isHeld(stored)) {
        return done({ object: dryRun ? stored : commit('DELETED', resource, stored, stored), gone: true });
      }
      if (stored.metadata.deletionTimestamp || dryRun) return done({ object: stored, gone: false });
      const metadata = { ...stored.metadata, deletionTimestamp: timestamp(clock.now()) };
      return done({ object: commit('MODIFIED', resource, { ...stored, metadata }, stored), gone: false });
    },
    since: (resource, version) => history.since(resource, version),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    expireHistory() {
      // One further, so that even a client that has seen everything has to list again.
      resourceVersion += 1;
      history.expire(resourceVersion);
    },
  };
}

/** Whether finalizers keep it from going. A namespace has further ones in its spec. */
function isHeld(object: KubeObject): boolean {
  if (listAt(object.metadata, 'finalizers').length > 0) return true;
  return object.kind === 'Namespace' && listAt(object, 'spec', 'finalizers').length > 0;
}

/** Sorts by namespace, then name: a space is below every character of a name. */
function objectKey(resource: Resource, namespace: string, name: string): string {
  return resource.namespaced ? `${namespace} ${name}` : ` ${name}`;
}

/** Where an object stands in a list. */
export function positionOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''} ${metadata.name}`;
}

function select(objects: Iterable<KubeObject>, namespace: string | undefined): readonly KubeObject[] {
  return [...objects]
    .filter((object) => namespace === undefined || object.metadata.namespace === namespace)
    .sort((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
}
