import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accepted, refusal } from './testing/outcomes.ts';
import { createPod, namespaces, nodes, podDraft, pods, testStore } from './testing/test-store.ts';

describe('admission', () => {
  it('gives a pod the default service account and phase', () => {
    const { store } = testStore();
    const pod = accepted(store.create(pods, { metadata: { name: 'web', namespace: 'default' } }));
    assert.deepEqual(pod.spec, { serviceAccountName: 'default' });
    assert.deepEqual(pod.status, { phase: 'Pending' });
  });

  it('leaves what a pod says itself', () => {
    const { store } = testStore();
    const status = { phase: 'Running', podIP: '10.0.0.1' };
    const pod = createPod(store, 'web', { spec: { serviceAccountName: 'robot', nodeName: 'n' }, status });
    assert.deepEqual(pod.spec, {
      containers: [{ name: 'main', image: 'web:1' }],
      nodeName: 'n',
      serviceAccountName: 'robot',
    });
    assert.deepEqual(pod.status, status);
  });

  it('makes a namespace active, labelled with its name and held by its finalizer', () => {
    const { store } = testStore();
    const namespace = accepted(
      store.create(namespaces, { metadata: { name: 'shop', labels: { team: 'a' } } }),
    );
    assert.deepEqual(namespace.metadata.labels, { team: 'a', 'kubernetes.io/metadata.name': 'shop' });
    assert.deepEqual(namespace.spec, { finalizers: ['kubernetes'] });
    assert.deepEqual(namespace.status, { phase: 'Active' });
  });

  it('refuses objects of a namespace that is missing or not named', () => {
    const { store } = testStore();
    const missing = refusal(
      store.create(pods, podDraft('web', { metadata: { namespace: 'shop' } })),
      404,
      'NotFound',
    );
    assert.equal(missing.message, 'namespaces "shop" not found');
    refusal(store.create(pods, { metadata: { name: 'web' } }), 400, 'BadRequest');
  });

  it('refuses objects of a namespace that is on its way out', () => {
    const { store } = testStore();
    accepted(store.create(namespaces, { metadata: { name: 'shop', finalizers: ['a/hold'] } }));
    accepted(store.delete(namespaces, '', 'shop'));
    const { message } = refusal(
      store.create(pods, podDraft('web', { metadata: { namespace: 'shop' } })),
      403,
      'Forbidden',
    );
    assert.match(message ?? '', /being terminated/);
  });

  it('leaves objects without namespace alone', () => {
    const { store } = testStore();
    const node = accepted(store.create(nodes, { metadata: { name: 'n' }, spec: { podCIDR: '10.0.0.0/24' } }));
    assert.deepEqual(node.spec, { podCIDR: '10.0.0.0/24' });
    assert.equal(node.status, undefined);
  });
});
