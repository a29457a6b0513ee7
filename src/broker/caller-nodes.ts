import type { NodeAddresses } from './node-addresses.ts';
import type { NodeRanges } from './node-ranges.ts';
import type { PodTable } from './pod-table.ts';

export interface CallerNodesOptions {
  readonly table: PodTable;
  readonly nodeAddresses: NodeAddresses;
  /** `undefined` for as long as nodes cannot be read. */
  readonly ranges: () => NodeRanges | undefined;
}

/**
 * On which node whoever calls from a canonical address is: by the node's own addresses and those of its pods; only
 * where nobody has the address, by the range that it lies in. `undefined` when that cannot be said of one node.
 */
export type CallerNodes = (address: string) => string | undefined;

export function createCallerNodes({ table, nodeAddresses, ranges }: CallerNodesOptions): CallerNodes {
  return (address) => {
    const host = nodeAddresses.ownerOf(address);
    const pods = table.find(address);
    if (host.kind === 'several') return undefined;
    const nodeName = host.kind === 'one' ? host.nodeName : undefined;
    switch (pods.kind) {
      case 'unknown':
        return nodeName ?? ranges()?.(address);
      case 'found':
        return (nodeName ?? pods.item.nodeName) === pods.item.nodeName ? pods.item.nodeName : undefined;
      case 'ambiguous': {
        const names = new Set(pods.items.map((view) => view.nodeName));
        if (nodeName !== undefined) names.add(nodeName);
        const [only, ...others] = names;
        return others.length === 0 ? only : undefined;
      }
    }
  };
}
