import type { PodView } from '../../broker/broker.ts';
import type { FindOptions, NodeListener, NodeSelector, NodeSource } from '../../broker/node-feed.ts';

/** A broker's feed that a test drives by hand: every node is told of every pod. */
export interface FakeNodeSource extends NodeSource {
  set(view: PodView): void;
  delete(uid: string): void;
  /** Whether new streams are told at once that everything has been told. Default yes. */
  synced: boolean;
  /** Who asked, for every stream that is open. */
  readonly watching: readonly NodeSelector[];
  /** Every search, in order. */
  readonly searches: readonly (FindOptions & { readonly address: string })[];
  /** How searches end. Default: at once, with who claims the address. */
  onFind: (address: string, options: FindOptions) => Promise<readonly PodView[]>;
}

export function createFakeNodeSource(): FakeNodeSource {
  const views = new Map<string, PodView>();
  const streams = new Map<NodeListener, NodeSelector>();
  const searches: (FindOptions & { address: string })[] = [];

  const source: FakeNodeSource = {
    synced: true,
    set(view) {
      views.set(view.uid, view);
      for (const listener of streams.keys()) listener.pod(view);
    },
    delete(uid) {
      views.delete(uid);
      for (const listener of streams.keys()) listener.removed(uid);
    },
    get watching() {
      return [...streams.values()];
    },
    searches,
    onFind: async (address) => [...views.values()].filter((view) => view.addresses.includes(address)),
    subscribeNode(node, listener) {
      streams.set(listener, node);
      for (const view of views.values()) listener.pod(view);
      if (source.synced) listener.synced();
      return () => streams.delete(listener);
    },
    find(address, options) {
      searches.push({ address, ...options });
      return source.onFind(address, options);
    },
  };
  return source;
}
