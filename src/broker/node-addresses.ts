import type { Node, Pod } from '../cluster/objects.ts';
import type { Watch } from '../cluster/watch.ts';
import { canonicalAddress } from '../identity/address.ts';
import { isFinished } from '../identity/address-claims.ts';

/** Whose an address is. `several`: more than one node is said to have it, so nothing can be concluded from it. */
export type AddressOwner =
  | { readonly kind: 'one'; readonly nodeName: string }
  | { readonly kind: 'none' | 'several' };

/**
 * Which node an address belongs to: by `status.hostIPs` of the pods that run, and by the nodes themselves where they
 * may be read. What a pod or node said is forgotten when it goes, so a node that was replaced keeps no address.
 */
export interface NodeAddresses {
  /** Where an agent says it is. While two nodes have the address, the one that was seen to have it last. */
  nodeOf(hostIp: string): string | undefined;
  /** Calls `fn` once, as soon as the node of the address is known. Returns how to stop waiting. */
  whenKnown(hostIp: string, fn: (nodeName: string) => void): () => void;
  /** For deciding by it. `address` is canonical. */
  ownerOf(address: string): AddressOwner;
  /** Whether the cluster has such a node, as far as is known: agents may name any. */
  has(nodeName: string): boolean;
  /** Learns from nodes, too. */
  addNodes(nodes: Watch<Node>): void;
}

const none: AddressOwner = { kind: 'none' };
const several: AddressOwner = { kind: 'several' };

export function createNodeAddresses(pods: Watch<Pod>): NodeAddresses {
  /** By address: each node that has it, with how many pods and nodes say so. The last to be added is the latest. */
  const claims = new Map<string, Map<string, number>>();
  /** How often each node has been named at all. */
  const names = new Map<string, number>();
  const waiting = new Map<string, Set<(nodeName: string) => void>>();
  let nodes: Watch<Node> | undefined;

  function claim(nodeName: string, texts: readonly string[]): void {
    add(names, nodeName, 1);
    for (const text of texts) {
      const address = canonicalAddress(text);
      if (address === undefined) continue;
      const claimants = claims.get(address) ?? new Map<string, number>();
      claims.set(address, claimants);
      add(claimants, nodeName, 1);
      const callbacks = waiting.get(address) ?? [];
      waiting.delete(address);
      for (const fn of callbacks) fn(nodeName);
    }
  }

  function release(nodeName: string, texts: readonly string[]): void {
    add(names, nodeName, -1);
    for (const text of texts) {
      const address = canonicalAddress(text) ?? '';
      const claimants = claims.get(address);
      if (!claimants) continue;
      add(claimants, nodeName, -1);
      if (claimants.size === 0) claims.delete(address);
    }
  }

  /** Pods of a node that was deleted stay for some minutes, until somebody collects them. */
  function isGone(nodeName: string): boolean {
    return nodes?.status.kind === 'live' && nodes.getByName('', nodeName) === undefined;
  }

  function living(claimants: Map<string, number>): string[] {
    const all = [...claimants.keys()];
    const left = all.filter((nodeName) => !isGone(nodeName));
    return left.length > 0 ? left : all;
  }

  pods.subscribe({
    upsert(pod, previous) {
      if (previous && sameClaim(pod, previous)) return;
      if (isClaim(pod)) claim(pod.nodeName, pod.hostIPs);
      if (previous && isClaim(previous)) release(previous.nodeName, previous.hostIPs);
    },
    remove(pod) {
      if (isClaim(pod)) release(pod.nodeName, pod.hostIPs);
    },
    status: () => {},
  });

  function nodeOf(hostIp: string): string | undefined {
    const claimants = claims.get(canonicalAddress(hostIp) ?? '');
    return claimants && living(claimants).at(-1);
  }

  return {
    nodeOf,
    whenKnown(hostIp, fn) {
      const address = canonicalAddress(hostIp) ?? '';
      const known = nodeOf(address);
      if (known !== undefined) {
        fn(known);
        return () => {};
      }
      const callbacks = waiting.get(address) ?? new Set();
      waiting.set(address, callbacks.add(fn));
      return () => {
        callbacks.delete(fn);
        if (callbacks.size === 0 && waiting.get(address) === callbacks) waiting.delete(address);
      };
    },
    ownerOf(address) {
      const claimants = claims.get(address);
      if (!claimants) return none;
      const [nodeName, ...others] = claimants.size === 1 ? claimants.keys() : living(claimants);
      if (nodeName === undefined) return none;
      return others.length === 0 ? { kind: 'one', nodeName } : several;
    },
    has: (nodeName) => names.has(nodeName),
    addNodes(watch) {
      nodes = watch;
      watch.subscribe({
        upsert(node, previous) {
          claim(node.name, node.addresses);
          if (previous) release(previous.name, previous.addresses);
        },
        remove: (node) => release(node.name, node.addresses),
        status: () => {},
      });
    },
  };
}

function isClaim(pod: Pod): boolean {
  return pod.nodeName !== '' && !isFinished(pod);
}

/** Most changes of a pod say nothing new of its node. */
function sameClaim(a: Pod, b: Pod): boolean {
  return (
    a.nodeName === b.nodeName &&
    isClaim(a) === isClaim(b) &&
    a.hostIPs.length === b.hostIPs.length &&
    a.hostIPs.every((address, i) => address === b.hostIPs[i])
  );
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
