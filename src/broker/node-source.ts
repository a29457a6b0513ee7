import type { Clock } from '../base/clock.ts';
import { canonicalAddress } from '../identity/address.ts';
import { answerFor, isConclusive } from './answer.ts';
import type { PodView } from './broker.ts';
import type { FedNodes } from './fed-nodes.ts';
import type { NodeAddresses } from './node-addresses.ts';
import type { NodeListener, NodeSelector, NodeSource } from './node-feed.ts';
import type { PodTable } from './pod-table.ts';
import { waitForAddress } from './wait-for-address.ts';

export interface NodeSourceOptions {
  readonly table: PodTable;
  readonly fedNodes: FedNodes;
  readonly nodeAddresses: NodeAddresses;
  /** Resolves when the whole cluster has been seen once. */
  readonly whenSynced: Promise<void>;
  readonly clock: Clock;
}

/**
 * What a server tells its agents: the table, cut by node. An agent only ever hears of its own node's pods, so that
 * what it answers by address cannot be confused with a pod elsewhere that claims the same one.
 */
export function createNodeSource(options: NodeSourceOptions): NodeSource {
  const { table, fedNodes, nodeAddresses, whenSynced, clock } = options;
  const listeners = new Map<string, Set<NodeListener>>();

  table.subscribe({
    upsert(view, previous) {
      if (previous && previous.nodeName !== view.nodeName) {
        for (const listener of listeners.get(previous.nodeName) ?? []) listener.removed(view.uid);
      }
      for (const listener of listeners.get(view.nodeName) ?? []) listener.pod(view);
    },
    remove(view) {
      for (const listener of listeners.get(view.nodeName) ?? []) listener.removed(view.uid);
    },
  });

  function nodeNameOf({ nodeName, hostIp }: NodeSelector): string | undefined {
    return nodeName ?? (hostIp === undefined ? undefined : nodeAddresses.nodeOf(hostIp));
  }

  /** Tells all of a node and then each change. Returns how to stop. */
  function follow(nodeName: string, listener: NodeListener): () => void {
    const release = fedNodes.hold(nodeName);
    const others = listeners.get(nodeName) ?? new Set();
    listeners.set(nodeName, others.add(listener));
    for (const view of table.values()) if (view.nodeName === nodeName) listener.pod(view);
    let stopped = false;
    void whenSynced.then(() => {
      if (!stopped) listener.synced();
    });
    return () => {
      stopped = true;
      others.delete(listener);
      if (others.size === 0 && listeners.get(nodeName) === others) listeners.delete(nodeName);
      release();
    };
  }

  return {
    subscribeNode(node, listener) {
      if (node.nodeName !== undefined) return follow(node.nodeName, listener);
      let stop = () => {};
      // The node of an address is learned from its pods; on a new node the first may not be known yet.
      const cancel = nodeAddresses.whenKnown(node.hostIp ?? '', (nodeName) => {
        stop = follow(nodeName, listener);
      });
      return () => {
        cancel();
        stop();
      };
    },

    async find(address, { node, waitMillis, signal }) {
      const canonical = canonicalAddress(address);
      if (canonical === undefined) return [];
      const claimants = (): readonly PodView[] => {
        const found = table.find(canonical);
        const all = found.kind === 'found' ? [found.item] : found.kind === 'ambiguous' ? found.items : [];
        const nodeName = nodeNameOf(node);
        return all.filter((view) => view.nodeName === nodeName);
      };
      const isDone = () => {
        const [view, ...others] = claimants();
        if (!view) return false;
        fedNodes.touch(view.nodeName);
        return others.length > 0 || isConclusive(answerFor(view, clock.now()), 'credentials');
      };
      await waitForAddress({ table, clock, address: canonical, waitMillis, signal, isDone });
      return claimants();
    },
  };
}
