/** An object as the Kubernetes API has it. */
export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export interface Change {
  readonly version: number;
  readonly path: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ApiObject;
}

/** What a change makes of an object; what is left out stays. */
export interface Draft {
  readonly namespace?: string;
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly isTerminating?: boolean;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** What etcd holds: the objects, and each change since it was last compacted. */
export interface ClusterState {
  /** Creates or changes the object of that name. Returns it as stored. */
  put(path: string, draft: Draft): ApiObject;
  /** Returns the version of the deletion, if there was something to delete. */
  remove(path: string, namespace: string, name: string): number | undefined;
  get(path: string, namespace: string, name: string): ApiObject | undefined;
  values(path: string): ApiObject[];
  /** Changes of a path after a version; `undefined` when that has been forgotten. */
  since(path: string, version: number): readonly Change[] | undefined;
  /** Forgets all changes so far. */
  compact(): void;
  readonly version: number;
}

/** `onChange` is told of each change in the moment in which it happens. */
export function createClusterState(onChange: (change: Change) => void): ClusterState {
  const tables = new Map<string, Map<string, ApiObject>>();
  let changes: Change[] = [];
  let version = 100;
  let compactedAt = 0;
  let uids = 0;

  function table(path: string): Map<string, ApiObject> {
    const found = tables.get(path) ?? new Map<string, ApiObject>();
    tables.set(path, found);
    return found;
  }

  function happen(change: Change): void {
    changes.push(change);
    onChange(change);
  }

  return {
    put(path, draft) {
      const { namespace = '', name } = draft;
      const key = `${namespace}/${name}`;
      const before = table(path).get(key);
      version += 1;
      if (!before) uids += 1;
      const deletion = draft.isTerminating ? '2026-01-01T00:00:00Z' : before?.metadata.deletionTimestamp;
      const object: ApiObject = {
        metadata: {
          name,
          namespace,
          uid: before?.metadata.uid ?? `uid-${uids}`,
          resourceVersion: String(version),
          annotations: draft.annotations ?? before?.metadata.annotations ?? {},
          ...(deletion !== undefined && { deletionTimestamp: deletion }),
        },
        spec: { ...before?.spec, ...draft.spec },
        status: { ...before?.status, ...draft.status },
      };
      table(path).set(key, object);
      happen({ version, path, type: before ? 'MODIFIED' : 'ADDED', object });
      return object;
    },
    remove(path, namespace, name) {
      const key = `${namespace}/${name}`;
      const before = table(path).get(key);
      if (!before) return undefined;
      table(path).delete(key);
      version += 1;
      const metadata = { ...before.metadata, resourceVersion: String(version) };
      happen({ version, path, type: 'DELETED', object: { ...before, metadata } });
      return version;
    },
    get: (path, namespace, name) => table(path).get(`${namespace}/${name}`),
    values: (path) => [...table(path).values()],
    since(path, from) {
      if (from < compactedAt) return undefined;
      return changes.filter((change) => change.path === path && change.version > from);
    },
    compact() {
      changes = [];
      // A version at which nothing happened, so that even what is current has to be listed again.
      version += 1;
      compactedAt = version;
    },
    get version() {
      return version;
    },
  };
}
