import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Change } from './change-history.ts';
import type { KubeObject } from './objects.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { changed, configMaps, createPod, nodes, podDraft, pods, testStore } from './testing/test-store.ts';

describe('the object store', () => {
  it('gives each change a higher version, over all resources', () => {
    const { store } = testStore();
    const first = createPod(store, 'a');
    const node = accepted(store.create(nodes, { metadata: { name: 'n' } }));
    const second = accepted(store.update(pods, changed(first, { labels: { a: 'b' } })));
    const versions = [first, node, second].map(({ metadata }) => Number(metadata.resourceVersion));
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(versions).size, 3);
    assert.equal(store.resourceVersion, versions.at(-1));
  });

  it('lists by namespace, then name', () => {
    const { store } = testStore();
    for (const namespace of ['kube-system', 'default']) {
      for (const name of ['b', 'a-1', 'a']) createPod(store, name, { metadata: { namespace } });
    }
    const names = (objects: readonly KubeObject[]) =>
      objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    assert.deepEqual(names(store.list(pods)), [
      'default/a',
      'default/a-1',
      'default/b',
      'kube-system/a',
      'kube-system/a-1',
      'kube-system/b',
    ]);
    assert.deepEqual(names(store.list(pods, 'default')), ['default/a', 'default/a-1', 'default/b']);
    assert.deepEqual(store.list(pods, 'nowhere'), []);
  });

  it('tells objects of one name in two namespaces apart', () => {
    const { store } = testStore();
    const a = createPod(store, 'web');
    const b = createPod(store, 'web', { metadata: { namespace: 'kube-system' } });
    assert.equal(store.get(pods, 'default', 'web'), a);
    assert.equal(store.get(pods, 'kube-system', 'web'), b);
    assert.equal(store.get(pods, '', 'web'), undefined);
  });

  it('refuses a name that is taken', () => {
    const { store } = testStore();
    createPod(store, 'web');
    refusal(store.create(pods, podDraft('web')), 409, 'AlreadyExists');
  });

  it('gives a name that is used again another UID', () => {
    const { store } = testStore();
    const first = createPod(store, 'web');
    accepted(store.delete(pods, 'default', 'web'));
    assert.notEqual(createPod(store, 'web').metadata.uid, first.metadata.uid);
  });

  it('refuses a change that was based on an older version, and takes one without', () => {
    const { store } = testStore();
    const first = createPod(store, 'web');
    accepted(store.update(pods, changed(first, { labels: { a: '1' } })));
    refusal(store.update(pods, changed(first, { labels: { a: '2' } })), 409, 'Conflict');
    const { resourceVersion: _, ...metadata } = first.metadata;
    const taken = accepted(store.update(pods, { ...first, metadata: { ...metadata, labels: { a: '3' } } }));
    assert.deepEqual(taken.metadata.labels, { a: '3' });
  });

  it('writes and tells nothing when nothing changes', () => {
    const { store } = testStore();
    const pod = createPod(store, 'web');
    const told: Change[] = [];
    store.subscribe((change) => told.push(change));
    assert.equal(accepted(store.update(pods, structuredClone(pod))), pod);
    assert.deepEqual(told, []);
  });

  it('keeps its objects from being changed by whoever reads them', () => {
    const { store } = testStore();
    const draft = podDraft('web', { metadata: { labels: { app: 'web' } } });
    const pod = accepted(store.create(pods, draft));
    assert.throws(() => Object.assign(pod.metadata, { name: 'x' }), TypeError);
    Object.assign(draft.metadata, { name: 'changed later' });
    draft.spec.containers.pop();
    assert.equal(store.get(pods, 'default', 'web')?.metadata.name, 'web');
    assert.deepEqual(pod.spec, {
      containers: [{ name: 'main', image: 'web:1' }],
      serviceAccountName: 'default',
    });
  });

  it('refuses to change or delete what is not there', () => {
    const { store } = testStore();
    refusal(store.update(pods, podDraft('web')), 404, 'NotFound');
    refusal(store.delete(pods, 'default', 'web'), 404, 'NotFound');
  });

  it('deletes only the object that was meant', () => {
    const { store } = testStore();
    const { metadata } = createPod(store, 'web');
    refusal(store.delete(pods, 'default', 'web', { uid: 'other' }), 409, 'Conflict');
    refusal(store.delete(pods, 'default', 'web', { resourceVersion: '1' }), 409, 'Conflict');
    assert.ok(accepted(store.delete(pods, 'default', 'web', { uid: metadata.uid })).gone);
    assert.equal(store.get(pods, 'default', 'web'), undefined);
  });

  it('checks a dry run and writes nothing', () => {
    const { store } = testStore();
    const before = store.resourceVersion;
    const made = accepted(store.create(pods, podDraft('web'), { dryRun: true }));
    assert.equal(made.metadata.resourceVersion, '');
    refusal(store.create(pods, podDraft('Bad'), { dryRun: true }), 422);
    assert.equal(store.resourceVersion, before);
    const pod = createPod(store, 'web');
    const next = store.update(pods, changed(pod, { labels: { a: 'b' } }), { dryRun: true });
    assert.deepEqual(accepted(next).metadata.labels, { a: 'b' });
    assert.ok(accepted(store.delete(pods, 'default', 'web', { dryRun: true })).gone);
    assert.equal(store.get(pods, 'default', 'web'), pod);
  });
});

describe('finalizers', () => {
  it('hold a deleted object until the last is gone', async () => {
    const { store, clock } = testStore();
    const pod = createPod(store, 'web', { metadata: { finalizers: ['a/1', 'a/2'] } });
    await clock.advance(60_000);
    const told: string[] = [];
    store.subscribe(({ type, object }) => told.push(`${type} ${object.metadata.deletionTimestamp ?? '-'}`));
    const deletion = accepted(store.delete(pods, 'default', 'web'));
    assert.equal(deletion.gone, false);
    assert.equal(deletion.object.metadata.deletionTimestamp, '2026-01-01T00:01:00Z');
    assert.equal(accepted(store.delete(pods, 'default', 'web')).object, deletion.object);

    const once = accepted(store.update(pods, changed(deletion.object, { finalizers: ['a/2'] })));
    assert.equal(store.get(pods, 'default', 'web')?.metadata.uid, pod.metadata.uid);
    accepted(store.update(pods, changed(once, { finalizers: [] })));
    assert.equal(store.get(pods, 'default', 'web'), undefined);
    const at = '2026-01-01T00:01:00Z';
    assert.deepEqual(told, [`MODIFIED ${at}`, `MODIFIED ${at}`, `MODIFIED ${at}`, `DELETED ${at}`]);
  });

  it('do not end an object that nobody deleted', () => {
    const { store } = testStore();
    const pod = createPod(store, 'web', { metadata: { finalizers: ['a/1'] } });
    accepted(store.update(pods, changed(pod, { finalizers: [] })));
    assert.ok(store.get(pods, 'default', 'web'));
  });
});

describe('listeners', () => {
  it('see every change in one order, also those that another listener makes', () => {
    const { store } = testStore();
    const seen: string[][] = [[], []];
    store.subscribe(({ type, object }) => {
      seen[0]?.push(`${type} ${object.metadata.name}`);
      if (type === 'ADDED' && object.metadata.name === 'a') createPod(store, 'b');
    });
    store.subscribe(({ type, object }) => seen[1]?.push(`${type} ${object.metadata.name}`));
    createPod(store, 'a');
    assert.deepEqual(seen, [
      ['ADDED a', 'ADDED b'],
      ['ADDED a', 'ADDED b'],
    ]);
  });

  it('get what was before with what is now', () => {
    const { store } = testStore();
    const pod = createPod(store, 'web');
    const changes: Change[] = [];
    const stop = store.subscribe((change) => changes.push(change));
    const next = accepted(store.update(pods, changed(pod, { labels: { a: 'b' } })));
    accepted(store.delete(pods, 'default', 'web'));
    stop();
    createPod(store, 'later');
    assert.equal(changes.length, 2);
    assert.equal(changes[0]?.previous, pod);
    assert.equal(changes[0]?.object, next);
    assert.equal(changes[1]?.previous, next);
    assert.equal(changes[1]?.object.metadata.resourceVersion, String(changes[1]?.resourceVersion));
  });

  it('do not stop the store when one of them throws', () => {
    const { store } = testStore();
    const stop = store.subscribe(() => {
      throw new Error('listener');
    });
    assert.throws(
      () => store.create(configMaps, { metadata: { name: 'c', namespace: 'default' } }),
      /listener/,
    );
    stop();
    const told: string[] = [];
    store.subscribe(({ object }) => told.push(object.metadata.name));
    createPod(store, 'web');
    assert.deepEqual(told, ['web']);
  });
});

describe('the past', () => {
  /** What a client can do to a handful of pods. */
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    action: fc.constantFrom('write', 'write', 'delete'),
    value: fc.integer({ min: 0, max: 3 }),
  });

  function take(
    { name, action, value }: { name: string; action: string; value: number },
    store: ReturnType<typeof testStore>['store'],
  ) {
    const stored = store.get(pods, 'default', name);
    if (action === 'delete') store.delete(pods, 'default', name);
    else if (stored) store.update(pods, changed(stored, { labels: { value: String(value) } }));
    else createPod(store, name);
  }

  it('can be listed at every version, as it was', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { store } = testStore();
        const snapshots = [{ version: store.resourceVersion, list: store.list(pods) }];
        for (const one of steps) {
          take(one, store);
          snapshots.push({ version: store.resourceVersion, list: store.list(pods) });
        }
        for (const { version, list } of snapshots)
          assert.deepEqual(accepted(store.listAt(pods, version)), list);
      }),
    );
  });

  it('leads to the present by its changes, from every version', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, from) => {
        const { store } = testStore();
        let version = store.resourceVersion;
        const held = new Map<string, KubeObject>();
        for (const [index, one] of steps.entries()) {
          take(one, store);
          if (index !== from) continue;
          version = store.resourceVersion;
          held.clear();
          for (const object of store.list(pods)) held.set(object.metadata.name, object);
        }
        for (const { type, object } of accepted(store.since(pods, version))) {
          if (type === 'DELETED') held.delete(object.metadata.name);
          else held.set(object.metadata.name, object);
        }
        const byName = [...held.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
        assert.deepEqual(byName, store.list(pods));
      }),
    );
  });

  it('is forgotten beyond the limit', () => {
    const { store } = testStore(8);
    const start = store.resourceVersion;
    for (let i = 0; i < 30; i++) createPod(store, `pod-${i}`);
    refusal(store.since(pods, start), 410, 'Expired');
    refusal(store.listAt(pods, start), 410, 'Expired');
    assert.equal(accepted(store.since(pods, store.resourceVersion - 8)).length, 8);
  });

  it('can be made to expire as a whole, for those who have seen everything too', () => {
    const { store } = testStore();
    createPod(store, 'web');
    const latest = store.resourceVersion;
    store.expireHistory();
    refusal(store.since(pods, latest), 410, 'Expired');
    assert.deepEqual(accepted(store.since(pods, store.resourceVersion)), []);
    assert.equal(store.list(pods).length, 1);
  });
});
