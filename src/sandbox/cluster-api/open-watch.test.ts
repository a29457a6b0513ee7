import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSeededRandom } from '../../base/random.ts';
import { textAt } from './json.ts';
import { openWatch } from './open-watch.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { changed, createPod, pods, type TestStore, testStore } from './testing/test-store.ts';
import { parseWatchRequest } from './watch-request.ts';

/** Opens a watch that writes down what it is told. */
function watch({ store, clock }: TestStore, query: Record<string, string> = {}, namespace?: string) {
  const told: string[] = [];
  const request = accepted(parseWatchRequest(pods, namespace, new URLSearchParams(query)));
  const options = { store, clock, random: createSeededRandom(1), bookmarkMillis: 60_000 };
  const opened = openWatch(request, options, {
    event: (type, object) => told.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}`),
    bookmark(object) {
      const end = textAt(object, 'metadata', 'annotations', 'k8s.io/initial-events-end');
      told.push(`BOOKMARK${end && ' end'} @${textAt(object, 'metadata', 'resourceVersion')}`);
    },
    error: (status) => told.push(`ERROR ${status.code} ${status.reason}`),
    end: () => told.push('end'),
  });
  return { told, opened, take: () => told.splice(0) };
}

describe('a watch', () => {
  it('tells of what exists, then of what happens', () => {
    const cluster = testStore();
    const a = createPod(cluster.store, 'a');
    const { take } = watch(cluster);
    assert.deepEqual(take(), [`ADDED a@${a.metadata.resourceVersion}`]);
    const b = createPod(cluster.store, 'b');
    const a2 = accepted(cluster.store.update(pods, changed(a, { labels: { x: 'y' } })));
    accepted(cluster.store.delete(pods, 'default', 'b'));
    assert.deepEqual(take(), [
      `ADDED b@${b.metadata.resourceVersion}`,
      `MODIFIED a@${a2.metadata.resourceVersion}`,
      `DELETED b@${cluster.store.resourceVersion}`,
    ]);
  });

  it('tells of what happened since the version it names, and of nothing before', () => {
    const cluster = testStore();
    createPod(cluster.store, 'a');
    const resourceVersion = String(cluster.store.resourceVersion);
    const b = createPod(cluster.store, 'b');
    const { take } = watch(cluster, { resourceVersion });
    assert.deepEqual(take(), [`ADDED b@${b.metadata.resourceVersion}`]);
  });

  it('ends with an error event when that version is too old', () => {
    const cluster = testStore();
    const resourceVersion = String(cluster.store.resourceVersion);
    cluster.store.expireHistory();
    const { told } = watch(cluster, { resourceVersion });
    assert.deepEqual(told, ['ERROR 410 Expired', 'end']);
    createPod(cluster.store, 'a');
    assert.equal(told.length, 2);
    assert.equal(cluster.clock.pending, 0);
  });

  it('is refused a version of the future', () => {
    const cluster = testStore();
    const resourceVersion = String(cluster.store.resourceVersion + 1);
    refusal(watch(cluster, { resourceVersion }).opened, 504, 'Timeout');
  });

  it('sees only its namespace and resource', () => {
    const cluster = testStore();
    const { take } = watch(cluster, {}, 'kube-system');
    createPod(cluster.store, 'a');
    const b = createPod(cluster.store, 'b', { metadata: { namespace: 'kube-system' } });
    assert.deepEqual(take(), [`ADDED b@${b.metadata.resourceVersion}`]);
  });

  it('misses nothing and repeats nothing of what happens while it is opened by a listener', () => {
    const cluster = testStore();
    let told: string[] = [];
    let opened = false;
    cluster.store.subscribe(() => {
      if (opened) return;
      opened = true;
      createPod(cluster.store, 'b');
      told = watch(cluster).told;
      createPod(cluster.store, 'c');
    });
    createPod(cluster.store, 'a');
    const seen = told.map((line) => line.split('@')[0]);
    assert.deepEqual(seen, ['ADDED a', 'ADDED b', 'ADDED c']);
  });

  it('tells nothing once it is closed, and leaves no timer', () => {
    const cluster = testStore();
    const { told, opened } = watch(cluster, { allowWatchBookmarks: 'true' });
    assert.equal(cluster.clock.pending, 2);
    accepted(opened).close();
    createPod(cluster.store, 'a');
    assert.deepEqual(told, []);
    assert.equal(cluster.clock.pending, 0);
  });
});

describe('a WatchList', () => {
  const query = {
    sendInitialEvents: 'true',
    allowWatchBookmarks: 'true',
    resourceVersionMatch: 'NotOlderThan',
  };

  it('tells of everything and says when that was all', () => {
    const cluster = testStore();
    const a = createPod(cluster.store, 'a');
    const resourceVersion = String(cluster.store.resourceVersion);
    const { take } = watch(cluster, { ...query, resourceVersion });
    const end = `BOOKMARK end @${cluster.store.resourceVersion}`;
    assert.deepEqual(take(), [`ADDED a@${a.metadata.resourceVersion}`, end]);
    const b = createPod(cluster.store, 'b');
    assert.deepEqual(take(), [`ADDED b@${b.metadata.resourceVersion}`]);
  });

  it('says so for an empty list too', () => {
    const cluster = testStore();
    assert.deepEqual(watch(cluster, query).told, [`BOOKMARK end @${cluster.store.resourceVersion}`]);
  });

  it('has no such end where bookmarks are not wanted', () => {
    const cluster = testStore();
    createPod(cluster.store, 'a');
    const { told } = watch(cluster, { ...query, allowWatchBookmarks: 'false' });
    assert.equal(told.length, 1);
  });
});

describe('bookmarks', () => {
  it('come once a minute and say how far the watch has come', async () => {
    const cluster = testStore();
    const resourceVersion = String(cluster.store.resourceVersion);
    const { take } = watch(cluster, {
      allowWatchBookmarks: 'true',
      resourceVersion,
      fieldSelector: 'metadata.name=x',
    });
    await cluster.clock.advance(59_999);
    assert.deepEqual(take(), []);
    createPod(cluster.store, 'not-x');
    await cluster.clock.advance(1);
    assert.deepEqual(take(), [`BOOKMARK @${cluster.store.resourceVersion}`]);
    await cluster.clock.advance(120_000);
    assert.equal(take().length, 2);
  });

  it('come only to those who asked', async () => {
    const cluster = testStore();
    const { take } = watch(cluster);
    await cluster.clock.advance(600_000);
    assert.deepEqual(take(), []);
  });
});

describe('the end of a watch', () => {
  it('comes when the client said, after a last bookmark', async () => {
    const cluster = testStore();
    const { take } = watch(cluster, { timeoutSeconds: '10', allowWatchBookmarks: 'true' });
    await cluster.clock.advance(9_999);
    assert.deepEqual(take(), []);
    await cluster.clock.advance(1);
    assert.deepEqual(take(), [`BOOKMARK @${cluster.store.resourceVersion}`, 'end']);
    assert.equal(cluster.clock.pending, 0);
  });

  it('comes after half an hour to an hour otherwise', async () => {
    const cluster = testStore();
    const { take } = watch(cluster);
    await cluster.clock.advance(30 * 60_000 - 1);
    assert.deepEqual(take(), []);
    await cluster.clock.advance(30 * 60_000 + 1);
    assert.deepEqual(take(), ['end']);
  });
});

describe('a watch with selectors', () => {
  it('sees objects come and go as they begin and cease to match', () => {
    const cluster = testStore();
    const { store } = cluster;
    const { take } = watch(cluster, { labelSelector: 'app=web' });
    const plain = createPod(store, 'a');
    const labelled = accepted(store.update(pods, changed(plain, { labels: { app: 'web' } })));
    const annotated = accepted(store.update(pods, changed(labelled, { annotations: { x: 'y' } })));
    const other = accepted(store.update(pods, changed(annotated, { labels: { app: 'api' } })));
    accepted(store.delete(pods, 'default', 'a'));
    assert.deepEqual(take(), [
      `ADDED a@${labelled.metadata.resourceVersion}`,
      `MODIFIED a@${annotated.metadata.resourceVersion}`,
      `DELETED a@${other.metadata.resourceVersion}`,
    ]);
  });

  it('ends up with what a list with the same selectors has, from whatever version it began', () => {
    const value = fc.constantFrom('web', 'api');
    const steps = fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c'), app: fc.option(value) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, fc.nat(30), (all, from) => {
        const cluster = testStore();
        const { store } = cluster;
        const selector = { labelSelector: 'app=web' };
        const held = new Map<string, string>();
        const take = (lines: string[]) => {
          for (const line of lines) {
            const [type = '', name = '', version = ''] = line.split(/[ @]/);
            assert.equal(type === 'ADDED', !held.has(name), `${line} of ${[...held.keys()]}`);
            if (type === 'DELETED') held.delete(name);
            else held.set(name, version);
          }
        };
        let resumed: string | undefined;
        for (const [index, { name, app }] of all.entries()) {
          if (index === from) {
            resumed = String(store.resourceVersion);
            for (const { metadata } of store.list(pods)) {
              if (metadata.labels?.app === 'web') held.set(metadata.name, metadata.resourceVersion);
            }
          }
          const stored = store.get(pods, 'default', name);
          if (app === null) store.delete(pods, 'default', name);
          else if (stored) store.update(pods, changed(stored, { labels: { app } }));
          else createPod(store, name, { metadata: { labels: { app } } });
        }
        take(watch(cluster, { ...selector, ...(resumed && { resourceVersion: resumed }) }).told);
        const listed = store.list(pods).filter(({ metadata }) => metadata.labels?.app === 'web');
        assert.deepEqual(
          [...held].sort(),
          listed.map(({ metadata }) => [metadata.name, metadata.resourceVersion]).sort(),
        );
      }),
    );
  });
});
