import type { KubeObject } from './objects.ts';
import { type Resource, resourceKey } from './resources.ts';
import { done, expired, type Outcome } from './status.ts';

/** One committed change. `resourceVersion` is also that of `object`. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  /** After the change; for DELETED, as it was last, with the resource version of its removal. */
  readonly object: KubeObject;
  /** Before the change; absent for ADDED. */
  readonly previous?: KubeObject;
  readonly resourceVersion: number;
}

/** The latest changes, oldest first. What watches resume from, and what snapshots of the past are made with. */
export interface ChangeHistory {
  add(change: Change): void;
  /** The changes of a resource after a version; refused (410 Expired) when some of them are no longer kept. */
  since(resource: Resource, resourceVersion: number): Outcome<readonly Change[]>;
  /** Forgets everything up to this version. */
  expire(resourceVersion: number): void;
}

/** @param limit how many changes are kept, of all resources together */
export function createChangeHistory(limit: number): ChangeHistory {
  let changes: Change[] = [];
  /** All changes after this version are kept. */
  let horizon = 0;

  return {
    add(change) {
      changes.push(change);
      // Drops a batch at a time: moving the array at each change would cost more than it keeps.
      if (changes.length > limit * 1.25) {
        const dropped = changes.length - limit;
        horizon = changes[dropped - 1]?.resourceVersion ?? horizon;
        changes = changes.slice(dropped);
      }
    },
    since(resource, resourceVersion) {
      if (resourceVersion < horizon) {
        return expired(`too old resource version: ${resourceVersion} (${horizon})`);
      }
      const key = resourceKey(resource);
      return done(
        changes.filter(
          (change) => change.resourceVersion > resourceVersion && resourceKey(change.resource) === key,
        ),
      );
    },
    expire(resourceVersion) {
      horizon = resourceVersion;
      changes = changes.filter((change) => change.resourceVersion > resourceVersion);
    },
  };
}
