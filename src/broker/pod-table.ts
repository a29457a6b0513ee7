import { type AddressLookup, createAddressIndex } from '../identity/address-index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PodView } from './broker.ts';

/** What a table tells of its pods. Calls come one at a time, in the order of the changes. */
export interface PodTableListener {
  upsert(view: PodView, previous: PodView | undefined): void;
  remove(view: PodView): void;
}

/**
 * The pods that this process can answer for, by UID and by address. A server fills it from the cluster, an agent
 * from its server; the doors read it and cannot tell which.
 */
export interface PodTable {
  upsert(view: PodView): void;
  remove(uid: string): void;
  get(uid: string): PodView | undefined;
  /** Who owns a canonical address. */
  find(address: string): AddressLookup<PodView>;
  values(): IterableIterator<PodView>;
  readonly size: number;
  subscribe(listener: PodTableListener): () => void;
  /** Calls `fn` after each change that concerns a pod that owns, or owned, the canonical address. */
  onAddress(address: string, fn: () => void): () => void;
}

export function createPodTable(metrics: Metrics): PodTable {
  const views = new Map<string, PodView>();
  const index = createAddressIndex<PodView>();
  const listeners = new Set<PodTableListener>();
  const byAddress = new Map<string, Set<() => void>>();

  function notifyAddresses(addresses: Iterable<string>): void {
    if (byAddress.size === 0) return;
    for (const address of addresses) {
      for (const fn of [...(byAddress.get(address) ?? [])]) fn();
    }
  }

  function count(): void {
    metrics.brokerAddressConflicts.set(index.conflicts);
  }

  return {
    upsert(view) {
      const previous = views.get(view.uid);
      if (previous === view) return;
      views.set(view.uid, view);
      index.upsert(view);
      if (previous) metrics.brokerPods.dec({ decision: previous.decision.kind });
      metrics.brokerPods.inc({ decision: view.decision.kind });
      count();
      for (const listener of [...listeners]) listener.upsert(view, previous);
      notifyAddresses(new Set([...(previous?.addresses ?? []), ...view.addresses]));
    },
    remove(uid) {
      const view = views.get(uid);
      if (!view) return;
      views.delete(uid);
      index.remove(uid);
      metrics.brokerPods.dec({ decision: view.decision.kind });
      count();
      for (const listener of [...listeners]) listener.remove(view);
      notifyAddresses(view.addresses);
    },
    get: (uid) => views.get(uid),
    find: (address) => index.find(address),
    values: () => views.values(),
    get size() {
      return views.size;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onAddress(address, fn) {
      const waiting = byAddress.get(address) ?? new Set();
      byAddress.set(address, waiting);
      waiting.add(fn);
      return () => {
        waiting.delete(fn);
        if (waiting.size === 0 && byAddress.get(address) === waiting) byAddress.delete(address);
      };
    },
  };
}
