import assert from 'node:assert/strict';
import type { ClusterObject } from '../objects.ts';
import type { WatchListener, WatchStatus } from '../watch.ts';

export interface RecordedListener<T extends ClusterObject> extends WatchListener<T> {
  /** `+ns/name@uid`, `~ns/name@uid`, `-ns/name@uid`, `=live`, in the order of the calls. Reading empties it. */
  take(): string[];
  /** What a consumer that believed every call would hold. */
  readonly held: ReadonlyMap<string, T>;
  readonly statuses: WatchStatus[];
}

/** A listener that writes down its calls and fails when they contradict each other. */
export function createRecordedListener<T extends ClusterObject>(): RecordedListener<T> {
  const held = new Map<string, T>();
  const statuses: WatchStatus[] = [];
  let calls: string[] = [];

  function nameOf({ namespace, name, uid }: T): string {
    return `${namespace}/${name}@${uid}`;
  }

  return {
    held,
    statuses,
    take() {
      const taken = calls;
      calls = [];
      return taken;
    },
    upsert(object, previous) {
      calls.push(`${previous ? '~' : '+'}${nameOf(object)}`);
      assert.equal(previous, held.get(object.uid), `the previous of ${nameOf(object)}`);
      assert.notEqual(previous?.resourceVersion, object.resourceVersion, `${nameOf(object)} told twice`);
      for (const other of held.values()) {
        const sameName = other.namespace === object.namespace && other.name === object.name;
        assert.ok(
          !sameName || other.uid === object.uid,
          `${nameOf(other)} was not removed before ${nameOf(object)}`,
        );
      }
      held.set(object.uid, object);
    },
    remove(object) {
      calls.push(`-${nameOf(object)}`);
      assert.equal(held.get(object.uid), object, `${nameOf(object)} removed, but not held`);
      held.delete(object.uid);
    },
    status(status) {
      calls.push(`=${status.kind}`);
      assert.notEqual(statuses.at(-1)?.kind, status.kind, `status ${status.kind} told twice`);
      statuses.push(status);
    },
  };
}
