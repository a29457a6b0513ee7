/** What the index needs of an item: its identity, and the addresses it owns, canonical. */
export interface AddressOwner {
  readonly uid: string;
  readonly addresses: readonly string[];
}

/** Who owns an address. */
export type AddressLookup<T> =
  | { readonly kind: 'found'; readonly item: T }
  | { readonly kind: 'unknown' }
  /** Several claim it, in the order in which they did: nobody can tell whose a request is, so nobody is answered. */
  | { readonly kind: 'ambiguous'; readonly items: readonly T[] };

export interface AddressIndexOptions<T> {
  /**
   * Called after each change of who owns an address (not when the same owner is put in anew). The index is
   * consistent by then and may be read, and changed.
   */
  readonly onOwnerChange?: (address: string, now: AddressLookup<T>) => void;
}

/** Items by the addresses they own. All operations are independent of how many items there are. */
export interface AddressIndex<T extends AddressOwner> {
  /** Puts an item in, in place of the one with the same UID. */
  upsert(item: T): void;
  remove(uid: string): void;
  /** `address` is canonical. Allocates nothing. */
  find(address: string): AddressLookup<T>;
  /** How many addresses are claimed by more than one item. */
  readonly conflicts: number;
  /** These addresses, with those who claim them. */
  conflicting(): IterableIterator<readonly [address: string, items: readonly T[]]>;
}

const unknown = { kind: 'unknown' } as const;

/** The answer where these claim the address. */
export function lookupOf<T>(claimants: readonly T[]): AddressLookup<T> {
  const [first, ...others] = claimants;
  if (first === undefined) return unknown;
  return others.length === 0 ? { kind: 'found', item: first } : { kind: 'ambiguous', items: claimants };
}

export function createAddressIndex<T extends AddressOwner>(
  options: AddressIndexOptions<T> = {},
): AddressIndex<T> {
  const items = new Map<string, T>();
  /** The answers, ready made: a look-up on the hot path only has to hand one over. */
  const lookups = new Map<string, AddressLookup<T>>();
  const conflicts = new Map<string, readonly T[]>();

  function setClaimants(address: string, claimants: readonly T[]): void {
    const lookup = lookupOf(claimants);
    if (lookup.kind === 'unknown') lookups.delete(address);
    else lookups.set(address, lookup);
    if (lookup.kind === 'ambiguous') conflicts.set(address, claimants);
    else conflicts.delete(address);
  }

  function notify(changed: Iterable<string>): void {
    if (!options.onOwnerChange) return;
    for (const address of changed) options.onOwnerChange(address, lookups.get(address) ?? unknown);
  }

  return {
    upsert(item) {
      const before = new Set(items.get(item.uid)?.addresses);
      items.set(item.uid, item);
      const changed = new Set<string>();
      for (const address of new Set(item.addresses)) {
        const claimants = claimantsOf(lookups.get(address));
        if (before.delete(address)) {
          setClaimants(
            address,
            claimants.map((other) => (other.uid === item.uid ? item : other)),
          );
        } else {
          setClaimants(address, [...claimants, item]);
          changed.add(address);
        }
      }
      for (const address of before) {
        setClaimants(address, without(lookups.get(address), item.uid));
        changed.add(address);
      }
      notify(changed);
    },
    remove(uid) {
      const item = items.get(uid);
      if (!item) return;
      items.delete(uid);
      const released = new Set(item.addresses);
      for (const address of released) setClaimants(address, without(lookups.get(address), uid));
      notify(released);
    },
    find: (address) => lookups.get(address) ?? unknown,
    get conflicts() {
      return conflicts.size;
    },
    conflicting: () => conflicts.entries(),
  };
}

function claimantsOf<T>(lookup: AddressLookup<T> | undefined): readonly T[] {
  switch (lookup?.kind) {
    case 'found':
      return [lookup.item];
    case 'ambiguous':
      return lookup.items;
    default:
      return [];
  }
}

function without<T extends AddressOwner>(lookup: AddressLookup<T> | undefined, uid: string): readonly T[] {
  return claimantsOf(lookup).filter((item) => item.uid !== uid);
}
