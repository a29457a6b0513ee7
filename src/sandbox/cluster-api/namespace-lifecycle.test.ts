import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { textAt } from './json.ts';
import { accepted } from './testing/outcomes.ts';
import {
  changed,
  configMaps,
  createPod,
  namespaces,
  pods,
  serviceAccounts,
  testStore,
} from './testing/test-store.ts';

describe('namespaces', () => {
  it('are there from the start, each with its default service account', () => {
    const { store } = testStore();
    const names = store.list(namespaces).map(({ metadata }) => metadata.name);
    assert.deepEqual(names, ['default', 'kube-node-lease', 'kube-public', 'kube-system']);
    for (const name of names) assert.ok(store.get(serviceAccounts, name, 'default'), name);
  });

  it('get a default service account of their own when they are created', () => {
    const { store } = testStore();
    accepted(store.create(namespaces, { metadata: { name: 'shop' } }));
    const account = store.get(serviceAccounts, 'shop', 'default');
    assert.ok(account?.metadata.uid);
    assert.notEqual(account.metadata.uid, store.get(serviceAccounts, 'default', 'default')?.metadata.uid);
  });

  it('take their objects with them, and nobody else’s', () => {
    const { store } = testStore();
    accepted(store.create(namespaces, { metadata: { name: 'shop' } }));
    createPod(store, 'web', { metadata: { namespace: 'shop' } });
    accepted(store.create(configMaps, { metadata: { name: 'settings', namespace: 'shop' } }));
    createPod(store, 'web');
    const told: string[] = [];
    store.subscribe(({ type, object }) =>
      told.push(`${type} ${object.kind} ${textAt(object, 'status', 'phase')}`.trim()),
    );
    accepted(store.delete(namespaces, '', 'shop'));
    assert.equal(store.get(namespaces, '', 'shop'), undefined);
    assert.deepEqual(store.list(pods, 'shop'), []);
    assert.deepEqual(store.list(serviceAccounts, 'shop'), []);
    assert.equal(store.list(pods, 'default').length, 1);
    assert.deepEqual(told, [
      'MODIFIED Namespace Active',
      'MODIFIED Namespace Terminating',
      'DELETED ConfigMap',
      'DELETED Pod Pending',
      'DELETED ServiceAccount',
      'MODIFIED Namespace Terminating',
      'DELETED Namespace Terminating',
    ]);
  });

  it('wait for an object that finalizers hold', () => {
    const { store } = testStore();
    accepted(store.create(namespaces, { metadata: { name: 'shop' } }));
    createPod(store, 'web', { metadata: { namespace: 'shop', finalizers: ['a/hold'] } });
    accepted(store.delete(namespaces, '', 'shop'));
    assert.equal(textAt(store.get(namespaces, '', 'shop'), 'status', 'phase'), 'Terminating');
    const pod = store.get(pods, 'shop', 'web');
    assert.ok(pod?.metadata.deletionTimestamp);
    accepted(store.update(pods, changed(pod, { finalizers: [] })));
    assert.equal(store.get(pods, 'shop', 'web'), undefined);
    assert.equal(store.get(namespaces, '', 'shop'), undefined);
  });

  it('can be made again, with nothing of before', () => {
    const { store } = testStore();
    const first = accepted(store.create(namespaces, { metadata: { name: 'shop' } }));
    createPod(store, 'web', { metadata: { namespace: 'shop' } });
    accepted(store.delete(namespaces, '', 'shop'));
    const second = accepted(store.create(namespaces, { metadata: { name: 'shop' } }));
    assert.notEqual(first.metadata.uid, second.metadata.uid);
    assert.deepEqual(store.list(pods, 'shop'), []);
    assert.equal(store.list(serviceAccounts, 'shop').length, 1);
  });
});
