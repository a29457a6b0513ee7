import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type AddressLookup, createAddressIndex } from './address-index.ts';

interface Item {
  readonly uid: string;
  readonly addresses: readonly string[];
  readonly version: number;
}

let versions = 0;
function item(uid: string, ...addresses: string[]): Item {
  versions += 1;
  return { uid, addresses, version: versions };
}

/** An index that writes down who owns what after each change. */
function recorded() {
  const changes: string[] = [];
  const index = createAddressIndex<Item>({
    onOwnerChange: (address, now) => changes.push(`${address}: ${owners(now)}`),
  });
  return {
    index,
    /** What was told since the last time. */
    told: () => changes.splice(0),
  };
}

function owners(lookup: AddressLookup<Item>): string {
  switch (lookup.kind) {
    case 'unknown':
      return 'nobody';
    case 'found':
      return lookup.item.uid;
    case 'ambiguous':
      return lookup.items.map(({ uid }) => uid).join('+');
  }
}

describe('createAddressIndex', () => {
  it('finds an item by each of its addresses', () => {
    const { index, told } = recorded();
    const a = item('a', '10.0.0.1', 'fd00::1');
    index.upsert(a);
    assert.deepEqual(index.find('10.0.0.1'), { kind: 'found', item: a });
    assert.deepEqual(index.find('fd00::1'), { kind: 'found', item: a });
    assert.deepEqual(index.find('10.0.0.2'), { kind: 'unknown' });
    assert.deepEqual(told(), ['10.0.0.1: a', 'fd00::1: a']);
  });

  it('hands out the newest state of an item, and tells nothing when only that changed', () => {
    const { index, told } = recorded();
    index.upsert(item('a', '10.0.0.1'));
    told();
    const newer = item('a', '10.0.0.1');
    index.upsert(newer);
    const found = index.find('10.0.0.1');
    assert.equal(found.kind === 'found' && found.item, newer);
    assert.deepEqual(told(), []);
  });

  it('follows an item that changes its addresses', () => {
    const { index, told } = recorded();
    index.upsert(item('a', '10.0.0.1', '10.0.0.2'));
    told();
    index.upsert(item('a', '10.0.0.2', '10.0.0.3'));
    assert.equal(index.find('10.0.0.1').kind, 'unknown');
    assert.equal(index.find('10.0.0.2').kind, 'found');
    assert.equal(index.find('10.0.0.3').kind, 'found');
    assert.deepEqual(told(), ['10.0.0.3: a', '10.0.0.1: nobody']);
  });

  it('answers neither of two that claim one address, until one lets go', () => {
    const { index, told } = recorded();
    // The old pod is terminating; the network has given its address to a new one already.
    const old = item('old', '10.0.0.1');
    const fresh = item('fresh', '10.0.0.1', '10.0.0.2');
    index.upsert(old);
    index.upsert(fresh);
    assert.deepEqual(index.find('10.0.0.1'), { kind: 'ambiguous', items: [old, fresh] });
    assert.deepEqual(index.find('10.0.0.2'), { kind: 'found', item: fresh });
    assert.equal(index.conflicts, 1);
    assert.deepEqual([...index.conflicting()], [['10.0.0.1', [old, fresh]]]);
    index.upsert(item('old'));
    assert.deepEqual(index.find('10.0.0.1'), { kind: 'found', item: fresh });
    assert.equal(index.conflicts, 0);
    assert.deepEqual(told(), ['10.0.0.1: old', '10.0.0.1: old+fresh', '10.0.0.2: fresh', '10.0.0.1: fresh']);
  });

  it('keeps claimants current in a conflict', () => {
    const { index } = recorded();
    index.upsert(item('a', '10.0.0.1'));
    const b = item('b', '10.0.0.1');
    index.upsert(b);
    const newer = item('a', '10.0.0.1');
    index.upsert(newer);
    assert.deepEqual(index.find('10.0.0.1'), { kind: 'ambiguous', items: [newer, b] });
    assert.deepEqual([...index.conflicting()], [['10.0.0.1', [newer, b]]]);
  });

  it('takes an address that an item names twice once', () => {
    const { index, told } = recorded();
    index.upsert(item('a', '10.0.0.1', '10.0.0.1'));
    assert.equal(index.find('10.0.0.1').kind, 'found');
    assert.equal(index.conflicts, 0);
    index.remove('a');
    assert.equal(index.find('10.0.0.1').kind, 'unknown');
    assert.deepEqual(told(), ['10.0.0.1: a', '10.0.0.1: nobody']);
  });

  it('knows nothing of what was removed, and removes what it does not know without a word', () => {
    const { index, told } = recorded();
    index.upsert(item('a', '10.0.0.1'));
    index.remove('a');
    index.remove('a');
    index.remove('never');
    assert.equal(index.find('10.0.0.1').kind, 'unknown');
    assert.deepEqual(told(), ['10.0.0.1: a', '10.0.0.1: nobody']);
  });

  it('does not mix up addresses with what objects inherit', () => {
    const { index } = recorded();
    assert.equal(index.find('constructor').kind, 'unknown');
    assert.equal(index.find('__proto__').kind, 'unknown');
  });

  it('is consistent by the time it tells, and may be changed by who is told', () => {
    const index = createAddressIndex<Item>({
      onOwnerChange(address, now) {
        assert.deepEqual(index.find(address), now);
        if (now.kind === 'ambiguous') index.remove('b');
      },
    });
    index.upsert(item('a', '10.0.0.1'));
    index.upsert(item('b', '10.0.0.1'));
    assert.equal(owners(index.find('10.0.0.1')), 'a');
  });

  it('answers like a list that is searched from one end to the other, after any changes', () => {
    const uid = fc.constantFrom('a', 'b', 'c', 'd');
    const addresses = fc.array(fc.constantFrom('1', '2', '3', '4'), { maxLength: 4 });
    const commands = [
      fc.tuple(uid, addresses).map(([id, own]) => new Upsert(id, own)),
      uid.map((id) => new Remove(id)),
    ];
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 40 }), (run) => {
        fc.modelRun(() => {
          const told = new Map<string, AddressLookup<Item>>();
          const index = createAddressIndex<Item>({ onOwnerChange: (address, now) => told.set(address, now) });
          return { model: { items: [] }, real: { index, told } };
        }, run);
      }),
      { numRuns: 1_000 },
    );
  });
});

/** Items in the order of their first claim; look-ups search all of them. */
interface Model {
  items: Item[];
}

interface Real {
  readonly index: ReturnType<typeof createAddressIndex<Item>>;
  /** The last word about each address. */
  readonly told: Map<string, AddressLookup<Item>>;
}

class Upsert implements fc.Command<Model, Real> {
  readonly uid: string;
  readonly addresses: readonly string[];
  constructor(uid: string, addresses: readonly string[]) {
    this.uid = uid;
    this.addresses = addresses;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, { index, told }: Real): void {
    const next = item(this.uid, ...this.addresses);
    const at = model.items.findIndex(({ uid }) => uid === this.uid);
    if (at === -1) model.items.push(next);
    else model.items[at] = next;
    index.upsert(next);
    compare(model, index, told);
  }
  toString(): string {
    return `upsert(${this.uid}: ${this.addresses.join()})`;
  }
}

class Remove implements fc.Command<Model, Real> {
  readonly uid: string;
  constructor(uid: string) {
    this.uid = uid;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, { index, told }: Real): void {
    model.items = model.items.filter(({ uid }) => uid !== this.uid);
    index.remove(this.uid);
    compare(model, index, told);
  }
  toString(): string {
    return `remove(${this.uid})`;
  }
}

function compare(model: Model, index: Real['index'], told: Real['told']): void {
  let conflicts = 0;
  for (const address of ['1', '2', '3', '4']) {
    const claimants = model.items.filter(({ addresses }) => addresses.includes(address));
    const lookup = index.find(address);
    const items = lookup.kind === 'found' ? [lookup.item] : lookup.kind === 'ambiguous' ? lookup.items : [];
    assert.equal(lookup.kind, ['unknown', 'found'][claimants.length] ?? 'ambiguous');
    // The very objects that were put in last, whatever their order.
    assert.deepEqual(new Set(items), new Set(claimants));
    assert.equal(items.length, claimants.length);
    if (claimants.length > 1) conflicts += 1;
    // Who followed the changes knows the owners without asking.
    const known = told.get(address) ?? { kind: 'unknown' };
    assert.deepEqual(new Set(owners(known).split('+')), new Set(owners(lookup).split('+')));
  }
  assert.equal(index.conflicts, conflicts);
  assert.equal([...index.conflicting()].length, conflicts);
}
