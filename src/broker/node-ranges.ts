import ipaddr from 'ipaddr.js';
import type { Clock } from '../base/clock.ts';
import type { Node } from '../cluster/objects.ts';
import type { Watch } from '../cluster/watch.ts';
import type { PodTable } from './pod-table.ts';

export interface NodeRangesOptions {
  readonly nodes: Watch<Node>;
  readonly table: PodTable;
  readonly clock: Clock;
}

/**
 * Which node an address belongs to (canonical, or no address at all) by `spec.podCIDRs`. A node's own packets to pods elsewhere carry an
 * address of its range with some CNIs (flannel's `.0`, a bridge's `.1`).
 *
 * Kubernetes gives nodes ranges even when the CNI hands out addresses by a plan of its own (Calico's, Cilium's cluster
 * pool). One pod whose address lies in another node's range says that this is so, and then no range is believed.
 */
export type NodeRanges = (address: string) => string | undefined;

/** Ranges are read again, and held against the pods, at most this often when nodes changed, and otherwise. Milliseconds. */
const changedMillis = 1_000;
const unchangedMillis = 30_000;
const maxRemembered = 4_096;

export function createNodeRanges({ nodes, table, clock }: NodeRangesOptions): NodeRanges {
  let changed = true;
  let readAt = Number.NEGATIVE_INFINITY;
  let find: NodeRanges = () => undefined;
  /** What was asked lately: an agent has one address and asks often. */
  const known = new Map<string, string | undefined>();

  nodes.subscribe({
    upsert(node, previous) {
      if (previous?.podCIDRs.join() !== node.podCIDRs.join()) changed = true;
    },
    remove: () => {
      changed = true;
    },
    status: () => {},
  });

  function refresh(): void {
    const age = clock.monotonic() - readAt;
    if (age < (changed ? changedMillis : unchangedMillis)) return;
    changed = false;
    readAt = clock.monotonic();
    known.clear();
    const lookup = readRanges(nodes.values());
    find = areFollowed(lookup, table) ? lookup : () => undefined;
  }

  return (address) => {
    refresh();
    if (known.has(address)) return known.get(address);
    if (known.size >= maxRemembered) known.clear();
    const nodeName = find(address);
    known.set(address, nodeName);
    return nodeName;
  };
}

/** Whether no pod speaks against the ranges. */
function areFollowed(lookup: NodeRanges, table: PodTable): boolean {
  for (const view of table.values()) {
    for (const address of view.addresses) {
      const nodeName = lookup(address);
      if (nodeName !== undefined && nodeName !== view.nodeName) return false;
    }
  }
  return true;
}

/** A look-up by the longest range that has the address. A range that two nodes have is nobody's. */
function readRanges(nodes: Iterable<Node>): NodeRanges {
  const owners = new Map<string, string | undefined>();
  const lengths = { v4: new Set<number>(), v6: new Set<number>() };
  for (const { name, podCIDRs } of nodes) {
    for (const text of podCIDRs) {
      if (!ipaddr.isValidCIDR(text)) continue;
      const [network, length] = ipaddr.parseCIDR(text);
      const key = keyOf(network.toString())(length);
      owners.set(key, owners.has(key) && owners.get(key) !== name ? undefined : name);
      lengths[network.kind() === 'ipv4' ? 'v4' : 'v6'].add(length);
    }
  }
  const longestFirst = (all: Set<number>) => [...all].sort((a, b) => b - a);
  const [v4, v6] = [longestFirst(lengths.v4), longestFirst(lengths.v6)];
  return (address) => {
    if (owners.size === 0) return undefined;
    const key = keyOf(address);
    for (const length of address.includes(':') ? v6 : v4) {
      const found = key(length);
      if (owners.has(found)) return owners.get(found);
    }
    return undefined;
  };
}

/** What the range of each length that has the address is kept under. Thousands of IPv4 addresses are looked up at once. */
function keyOf(address: string): (length: number) => string {
  if (!address.includes(':')) {
    const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    return (length) => `4/${length}/${Math.floor(value / 2 ** (32 - length))}`;
  }
  const bytes = ipaddr.parse(address).toByteArray();
  const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  return (length) => `6/${length}/${value >> BigInt(128 - length)}`;
}
