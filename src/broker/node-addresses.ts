import type { Pod } from '../cluster/objects.ts';
import type { Watch } from '../cluster/watch.ts';
import { canonicalAddress } from '../identity/address.ts';

/** Which node an address belongs to, learned from `status.hostIPs` of the pods that are watched anyway. */
export interface NodeAddresses {
  nodeOf(hostIp: string): string | undefined;
  /** Calls `fn` once, as soon as the node of the address is known. Returns how to stop waiting. */
  whenKnown(hostIp: string, fn: (nodeName: string) => void): () => void;
}

export function createNodeAddresses(pods: Watch<Pod>): NodeAddresses {
  const nodes = new Map<string, string>();
  const waiting = new Map<string, Set<(nodeName: string) => void>>();

  pods.subscribe({
    upsert(pod) {
      if (pod.nodeName === '') return;
      for (const text of pod.hostIPs) {
        const address = canonicalAddress(text);
        if (address === undefined || nodes.get(address) === pod.nodeName) continue;
        // A node that was replaced may leave its address to another: the latest word counts.
        nodes.set(address, pod.nodeName);
        const callbacks = waiting.get(address) ?? [];
        waiting.delete(address);
        for (const fn of callbacks) fn(pod.nodeName);
      }
    },
    remove: () => {},
    status: () => {},
  });

  return {
    nodeOf: (hostIp) => nodes.get(canonicalAddress(hostIp) ?? ''),
    whenKnown(hostIp, fn) {
      const address = canonicalAddress(hostIp) ?? '';
      const known = nodes.get(address);
      if (known !== undefined) {
        fn(known);
        return () => {};
      }
      const callbacks = waiting.get(address) ?? new Set();
      waiting.set(address, callbacks.add(fn));
      return () => callbacks.delete(fn);
    },
  };
}
