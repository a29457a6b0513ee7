import type { Clock } from '../base/clock.ts';
import { canonicalAddress } from '../identity/address.ts';
import { type AddressLookup, lookupOf } from '../identity/address-index.ts';
import type { Broker, PodView } from './broker.ts';
import type { PodTable } from './pod-table.ts';
import { createTableBroker } from './table-broker.ts';

export interface NodeBrokersOptions {
  readonly table: PodTable;
  readonly clock: Clock;
  /** As of the broker over the whole table. */
  readonly wanted?: (view: PodView) => void;
}

/**
 * The broker over a table, cut by node. To an agent that has proven its node, other nodes' pods do not exist: neither
 * to be given away, nor to claim an address that a pod of its own has.
 */
export interface NodeBrokers {
  of(nodeName: string): Broker;
  /** The nodes of the pods that claim an address. */
  nodesAt(address: string): readonly string[];
}

/** Nodes come and go. Making a broker again costs nothing but its remembered answers. */
const maxRemembered = 10_000;

export function createNodeBrokers({ table, ...options }: NodeBrokersOptions): NodeBrokers {
  const brokers = new Map<string, Broker>();

  function cut(nodeName: string, found: AddressLookup<PodView>): AddressLookup<PodView> {
    switch (found.kind) {
      case 'unknown':
        return found;
      case 'found':
        return found.item.nodeName === nodeName ? found : lookupOf([]);
      case 'ambiguous':
        return lookupOf(found.items.filter((view) => view.nodeName === nodeName));
    }
  }

  return {
    of(nodeName) {
      const known = brokers.get(nodeName);
      if (known) return known;
      if (brokers.size >= maxRemembered) brokers.clear();
      const find = (address: string) => cut(nodeName, table.find(address));
      const broker = createTableBroker({ ...options, table: { find, onAddress: table.onAddress } });
      brokers.set(nodeName, broker);
      return broker;
    },
    nodesAt(address) {
      const found = table.find(canonicalAddress(address) ?? '');
      if (found.kind === 'unknown') return [];
      const views = found.kind === 'found' ? [found.item] : found.items;
      return [...new Set(views.map((view) => view.nodeName))];
    },
  };
}
