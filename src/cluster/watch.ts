import type { ClusterObject } from './objects.ts';

/**
 * How far what is held in memory can be trusted.
 *
 * `syncing`: the whole has not been seen yet, so an object that is not there may well exist.
 * `live`: in touch with the API server.
 * `stale`: the whole was seen once, and contact has been lost since `since` (the clock's monotonic milliseconds).
 */
export type WatchStatus =
  | { readonly kind: 'syncing' }
  | { readonly kind: 'live' }
  | { readonly kind: 'stale'; readonly since: number };

/** How far a watch has come, in resource versions. `undefined` before the first list. */
export interface WatchPosition {
  /** Everything up to this has been told. */
  readonly known: string | undefined;
  /** The newest change that was taken in. */
  readonly changed: string | undefined;
}

/** What a watch tells. Calls come one at a time, and only for what changed: never twice for one resource version. */
export interface WatchListener<T extends ClusterObject> {
  /** An object appeared or changed. An object of the same name with another UID is reported as removed first. */
  upsert(object: T, previous: T | undefined): void;
  /** An object is gone, whether a DELETED event said so or a relist no longer had it. */
  remove(object: T): void;
  /** The status changed. After `live` for the first time, everything that exists has been reported. */
  status(status: WatchStatus): void;
}

/** A resource of the cluster, held in memory by UID and kept up to date. */
export interface Watch<T extends ClusterObject> {
  get(uid: string): T | undefined;
  getByName(namespace: string, name: string): T | undefined;
  values(): IterableIterator<T>;
  readonly size: number;
  readonly status: WatchStatus;
  readonly position: WatchPosition;
  /** Adds a listener; it is told at once of all that is held. Returns how to remove it. */
  subscribe(listener: WatchListener<T>): () => void;
  /** Lists and watches until the signal aborts. Never rejects for a fault of the API server: it reports and retries. */
  run(signal: AbortSignal): Promise<void>;
}
