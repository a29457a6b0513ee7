import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSeededRandom } from '../../base/random.ts';
import { deepFreeze, type JsonObject } from './json.ts';
import { newObject, updatedObject, uuid } from './object-meta.ts';
import { type KubeObject, parseDraft } from './objects.ts';
import { type Resource, resourceNamed } from './resources.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { configMaps, namespaces, nodes, pods } from './testing/test-store.ts';

const now = Date.parse('2026-01-02T03:04:05.678Z');

function create(resource: Resource, draft: JsonObject, seed = 1) {
  return newObject(resource, accepted(parseDraft(resource, draft)), now, createSeededRandom(seed));
}

function stored(resource: Resource, draft: JsonObject): KubeObject {
  const object = accepted(create(resource, draft));
  return deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: '7' } });
}

function update(resource: Resource, object: KubeObject, draft: JsonObject, part?: 'status' | 'finalize') {
  return updatedObject(resource, object, accepted(parseDraft(resource, draft)), part);
}

describe('a new object', () => {
  it('gets what only the server writes, whatever the client sent', () => {
    const draft = {
      metadata: {
        name: 'web',
        namespace: 'default',
        uid: 'mine',
        creationTimestamp: '1999-01-01T00:00:00Z',
        deletionTimestamp: '1999-01-01T00:00:00Z',
        generation: 9,
        managedFields: [],
        labels: { app: 'web' },
        ownerReferences: [{ name: 'owner' }],
      },
      spec: {},
    };
    const { metadata } = accepted(create(pods, draft));
    assert.match(metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(metadata, {
      name: 'web',
      namespace: 'default',
      uid: metadata.uid,
      resourceVersion: '',
      creationTimestamp: '2026-01-02T03:04:05Z',
      generation: 1,
      labels: { app: 'web' },
      ownerReferences: [{ name: 'owner' }],
    });
  });

  it('has a generation only if it has a spec', () => {
    assert.equal(
      accepted(create(configMaps, { metadata: { name: 'c', namespace: 'd' } })).metadata.generation,
      undefined,
    );
  });

  it('has no namespace where its resource has none', () => {
    assert.equal(
      accepted(create(nodes, { metadata: { name: 'n', namespace: 'default' } })).metadata.namespace,
      undefined,
    );
  });

  it('is named by generateName and five characters', () => {
    const names = [1, 2, 3].map(
      (seed) => accepted(create(pods, { metadata: { generateName: 'web-' } }, seed)).metadata.name,
    );
    for (const name of names) assert.match(name, /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    assert.equal(new Set(names).size, 3);
  });

  it('keeps its own name when it has both', () => {
    assert.equal(
      accepted(create(pods, { metadata: { name: 'web', generateName: 'x-' } })).metadata.name,
      'web',
    );
  });

  it('is refused without a name', () => {
    assert.match(
      refusal(create(pods, { metadata: {} }), 422, 'Invalid').message ?? '',
      /name or generateName/,
    );
  });

  it('is refused with a resource version', () => {
    refusal(create(pods, { metadata: { name: 'web', resourceVersion: '1' } }), 400, 'BadRequest');
  });

  for (const name of ['Web', '-web', 'web-', 'a..b', 'a_b', 'a b', 'a/b', 'ü', '.a', 'a'.repeat(254)]) {
    it(`is refused when named ${JSON.stringify(name.slice(0, 10))}`, () => {
      refusal(create(pods, { metadata: { name } }), 422, 'Invalid');
    });
  }

  for (const name of ['web', '0', 'a.b-c.d', 'a--b', 'a'.repeat(253)]) {
    it(`may be named ${name.slice(0, 10)}`, () => {
      assert.equal(accepted(create(pods, { metadata: { name } })).metadata.name, name);
    });
  }

  it('may have a colon in its name if it is a role', () => {
    const roles = resourceNamed('clusterroles.rbac.authorization.k8s.io');
    assert.equal(accepted(create(roles, { metadata: { name: 'system:Node' } })).metadata.name, 'system:Node');
    for (const name of ['..', '.', 'a/b', 'a%b']) refusal(create(roles, { metadata: { name } }), 422);
  });
});

describe('an updated object', () => {
  const pod = stored(pods, {
    metadata: { name: 'web', namespace: 'default', labels: { app: 'web' }, annotations: { a: '1' } },
    spec: { nodeName: '' },
    status: { phase: 'Pending' },
  });

  it('keeps what only the server writes', () => {
    const draft = {
      metadata: { name: 'web', namespace: 'default', creationTimestamp: 'x', generation: 50, selfLink: '/x' },
      spec: { nodeName: '' },
    };
    const next = accepted(update(pods, pod, draft));
    const { labels: _, annotations: __, ...rest } = pod.metadata;
    assert.deepEqual(next.metadata, rest);
  });

  it('grows a generation with its spec and with nothing else', () => {
    const { metadata } = pod;
    assert.equal(accepted(update(pods, pod, { ...pod, spec: { nodeName: 'n' } })).metadata.generation, 2);
    const annotated = update(pods, pod, { ...pod, metadata: { ...metadata, annotations: { a: '2' } } });
    assert.equal(accepted(annotated).metadata.generation, 1);
    assert.equal(
      accepted(update(pods, pod, { ...pod, status: { phase: 'Running' } }, 'status')).metadata.generation,
      1,
    );
  });

  it('is the stored one itself when nothing changed', () => {
    assert.equal(accepted(update(pods, pod, structuredClone(pod))), pod);
    assert.equal(accepted(update(pods, pod, { ...pod, status: { phase: 'Running' } })), pod);
  });

  it('changes its status through the subresource only, and only that', () => {
    const draft = {
      ...pod,
      metadata: { ...pod.metadata, labels: {} },
      spec: { nodeName: 'n' },
      status: { phase: 'Running' },
    };
    assert.deepEqual(accepted(update(pods, pod, draft, 'status')), { ...pod, status: { phase: 'Running' } });
    const main = accepted(update(pods, pod, draft));
    assert.deepEqual(main.status, { phase: 'Pending' });
    assert.deepEqual(main.spec, { nodeName: 'n' });
    assert.deepEqual(main.metadata.labels, {});
  });

  it('has its status changed with the rest where there is no subresource', () => {
    const map = stored(configMaps, { metadata: { name: 'c', namespace: 'd' }, status: 'old' });
    assert.equal(accepted(update(configMaps, map, { ...map, status: 'new' })).status, 'new');
  });

  it('loses a namespace its finalizers through finalize only', () => {
    const namespace = stored(namespaces, {
      metadata: { name: 'shop' },
      spec: { finalizers: ['kubernetes'] },
    });
    const draft = { metadata: { name: 'shop', labels: { a: 'b' } }, spec: { finalizers: [] } };
    assert.deepEqual(accepted(update(namespaces, namespace, draft)).spec, { finalizers: ['kubernetes'] });
    const finalized = accepted(update(namespaces, namespace, draft, 'finalize'));
    assert.deepEqual(finalized.spec, { finalizers: [] });
    assert.equal(finalized.metadata.labels, undefined);
  });

  it('is refused when it was based on another version or another object', () => {
    const { metadata } = pod;
    refusal(update(pods, pod, { ...pod, metadata: { ...metadata, resourceVersion: '6' } }), 409, 'Conflict');
    const other = refusal(
      update(pods, pod, { ...pod, metadata: { ...metadata, uid: 'other' } }),
      409,
      'Conflict',
    );
    assert.match(other.message ?? '', /UID in precondition: other/);
  });

  it('needs no version', () => {
    const { resourceVersion: _, ...metadata } = pod.metadata;
    assert.equal(
      accepted(update(pods, pod, { ...pod, metadata: { ...metadata, labels: {} } })).metadata.uid,
      metadata.uid,
    );
  });
});

describe('uuid', () => {
  it('is of version 4 from any randomness', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        assert.match(
          uuid(createSeededRandom(seed)),
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
      }),
    );
  });
});
