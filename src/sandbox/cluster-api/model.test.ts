import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSeededRandom } from '../../base/random.ts';
import { textAt } from './json.ts';
import type { ObjectStore } from './object-store.ts';
import { openWatch } from './open-watch.ts';
import { accepted } from './testing/outcomes.ts';
import { changed, createPod, namespaces, pods, type TestStore, testStore } from './testing/test-store.ts';
import { parseWatchRequest } from './watch-request.ts';

/**
 * What a client of the watch believes, step by step, against what is so: whatever people and namespaces do, through
 * cuts, resumed watches and lost history.
 */

const homes = ['default', 'shop', 'bank'];
const names = ['a', 'b', 'c'];

const place = { namespace: fc.constantFrom(...homes), name: fc.constantFrom(...names) };
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write'), ...place }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete'), ...place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('hold', 'release'), ...place }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('make home', 'end home', 'cut', 'expire'), ...place }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Each step is what somebody tries; the store may refuse it. */
function take(store: ObjectStore, { do: action, namespace, name }: Step): void {
  const stored = store.get(pods, namespace, name);
  switch (action) {
    case 'write':
      if (stored)
        store.update(pods, changed(stored, { labels: { version: stored.metadata.resourceVersion } }));
      else store.create(pods, { metadata: { namespace, name } });
      break;
    case 'delete':
      store.delete(pods, namespace, name);
      break;
    case 'hold':
    case 'release':
      if (stored) store.update(pods, changed(stored, { finalizers: action === 'hold' ? ['a/hold'] : [] }));
      break;
    case 'make home':
      store.create(namespaces, { metadata: { name: namespace } });
      break;
    case 'end home':
      if (namespace !== 'default') store.delete(namespaces, '', namespace);
      break;
    case 'expire':
      store.expireHistory();
      break;
  }
}

/** A client that lists by WatchList, resumes where it was cut, and lists again when that is too late. */
function client({ store, clock }: TestStore) {
  const held = new Map<string, string>();
  let version = '';
  let close = () => {};

  function connect(): void {
    close();
    const query = new URLSearchParams(
      version
        ? { resourceVersion: version, allowWatchBookmarks: 'true' }
        : { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: 'true' },
    );
    const request = accepted(parseWatchRequest(pods, undefined, query));
    let tooOld = false;
    if (!version) held.clear();
    const options = { store, clock, random: createSeededRandom(1), bookmarkMillis: 60_000 };
    const opened = openWatch(request, options, {
      event(type, { metadata }) {
        const key = metadata.uid;
        assert.equal(type === 'ADDED', !held.has(key), `${type} of ${metadata.namespace}/${metadata.name}`);
        if (type === 'DELETED') held.delete(key);
        else held.set(key, metadata.resourceVersion);
        assert.ok(version === '' || Number(metadata.resourceVersion) > Number(version), 'versions go back');
        if (version) version = metadata.resourceVersion;
      },
      bookmark(object) {
        version = textAt(object, 'metadata', 'resourceVersion');
      },
      error({ code }) {
        assert.equal(code, 410);
        tooOld = true;
      },
      end: () => {},
    });
    close = accepted(opened).close;
    if (!tooOld) return;
    version = '';
    connect();
  }

  connect();
  return {
    held,
    connect,
    cut: () => close(),
  };
}

function truth(store: ObjectStore): [string, string][] {
  return store.list(pods).map(({ metadata }): [string, string] => [metadata.uid, metadata.resourceVersion]);
}

describe('a client of the watch', () => {
  it('always believes what is so', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const cluster = testStore();
        const { store } = cluster;
        for (const name of homes.slice(1)) accepted(store.create(namespaces, { metadata: { name } }));
        const { held, connect } = client(cluster);
        for (const one of steps) {
          if (one.do === 'cut') connect();
          else take(store, one);
          assert.deepEqual([...held].sort(), truth(store).sort());
        }
      }),
      { numRuns: 200 },
    );
  });

  it('catches up after it was away, however much was forgotten meanwhile', () => {
    const limits = fc.constantFrom(2, 5, 1_000);
    fc.assert(
      fc.property(
        limits,
        fc.array(step, { maxLength: 40 }),
        fc.array(step, { maxLength: 40 }),
        (limit, seen, missed) => {
          const cluster = testStore(limit);
          const { store } = cluster;
          const { held, connect, cut } = client(cluster);
          for (const one of seen) take(store, one);
          cut();
          for (const one of missed) take(store, one);
          connect();
          assert.deepEqual([...held].sort(), truth(store).sort());
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('the cluster as a whole', () => {
  it('never has an object whose namespace is gone, nor a namespace without its account', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { store } = testStore();
        for (const one of steps) {
          take(store, one);
          for (const { metadata } of store.list(pods)) {
            assert.ok(store.get(namespaces, '', metadata.namespace ?? ''), `${metadata.namespace} is gone`);
          }
        }
        for (const home of store.list(namespaces)) {
          // What keeps a deleted namespace is an object that finalizers hold.
          const kept = store.list(pods, home.metadata.name);
          if (home.metadata.deletionTimestamp)
            assert.ok(kept.some(({ metadata }) => metadata.deletionTimestamp));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never uses a UID or a version twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { store } = testStore();
        const owners = new Map<string, string>();
        const versions = new Set<string>();
        store.subscribe(({ object: { metadata }, resource }) => {
          const owner = `${resource.plural} ${metadata.namespace}/${metadata.name} ${metadata.creationTimestamp}`;
          assert.equal(owners.get(metadata.uid) ?? owner, owner);
          owners.set(metadata.uid, owner);
          assert.ok(!versions.has(metadata.resourceVersion));
          versions.add(metadata.resourceVersion);
        });
        createPod(store, 'first');
        for (const one of steps) take(store, one);
      }),
    );
  });
});
