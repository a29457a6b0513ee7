import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { at, type Json, type JsonObject, listAt, textAt } from './json.ts';
import { accepted } from './testing/outcomes.ts';
import { type Call, startTestCluster, type TestCluster } from './testing/test-cluster.ts';
import { configMaps, createPod, namespaces, pods } from './testing/test-store.ts';

let cluster: TestCluster;
let count = 0;
before(async () => {
  cluster = await startTestCluster({
    authorize: ({ groups }, verb, resource, namespace) =>
      groups.includes('system:masters') ||
      (verb === 'list' && resource === 'pods' && namespace === 'default'),
  });
});
after(() => cluster.close());

/** A namespace of its own for each test. */
function freshNamespace(): string {
  count += 1;
  return accepted(cluster.api.store.create(namespaces, { metadata: { name: `test-${count}` } })).metadata
    .name;
}

function podsPath(namespace: string, rest = ''): string {
  return `/api/v1/namespaces/${namespace}/pods${rest}`;
}

const web = {
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'a' }] },
};

async function expectCode(code: number, method: string, path: string, call?: Call): Promise<JsonObject> {
  const answer = await cluster.call(method, path, call);
  assert.equal(answer.code, code, JSON.stringify(answer.body));
  return answer.body;
}

function patch(path: string, type: string, body: Json, code = 200): Promise<JsonObject> {
  return expectCode(code, 'PATCH', path, { body, contentType: `application/${type}` });
}

describe('the life of an object over HTTP', () => {
  it('goes from create to delete', async () => {
    const namespace = freshNamespace();
    const path = podsPath(namespace, '/web');
    await expectCode(404, 'GET', path);
    const created = await expectCode(201, 'POST', podsPath(namespace), { body: web });
    assert.equal(at(created, 'metadata', 'namespace'), namespace);
    assert.deepEqual(await expectCode(200, 'GET', path), created);
    const body = { ...created, spec: { nodeName: 'n' } };
    const updated = await expectCode(200, 'PUT', path, { body });
    assert.equal(at(updated, 'spec', 'nodeName'), 'n');
    assert.equal((await expectCode(409, 'PUT', path, { body: { ...body, spec: {} } })).reason, 'Conflict');
    const status = await expectCode(200, 'PUT', `${path}/status`, {
      body: { ...updated, status: { phase: 'Running' }, spec: {} },
    });
    assert.deepEqual(status.status, { phase: 'Running' });
    assert.deepEqual(status.spec, updated.spec);
    assert.deepEqual(await expectCode(200, 'GET', `${path}/status`), status);
    const deleted = await expectCode(200, 'DELETE', path);
    assert.equal(deleted.status, 'Success');
    assert.deepEqual(deleted.details, { name: 'web', kind: 'pods', uid: at(created, 'metadata', 'uid') });
    await expectCode(404, 'DELETE', path);
  });

  it('may begin with a generated name, and in YAML', async () => {
    const namespace = freshNamespace();
    const body = 'kind: Pod\napiVersion: v1\nmetadata:\n  generateName: job-\n';
    const made = await expectCode(201, 'POST', podsPath(namespace), {
      body,
      contentType: 'application/yaml',
    });
    assert.match(textAt(made, 'metadata', 'name'), /^job-.{5}$/);
  });

  it('is held by finalizers, which the answer to a delete shows', async () => {
    const namespace = freshNamespace();
    createPod(cluster.api.store, 'web', { metadata: { namespace, finalizers: ['a/hold'] } });
    const held = await expectCode(200, 'DELETE', podsPath(namespace, '/web'));
    assert.equal(held.kind, 'Pod');
    assert.ok(at(held, 'metadata', 'deletionTimestamp'));
    await patch(podsPath(namespace, '/web'), 'merge-patch+json', { metadata: { finalizers: null } });
    await expectCode(404, 'GET', podsPath(namespace, '/web'));
  });

  it('ends only where the preconditions hold', async () => {
    const namespace = freshNamespace();
    const { metadata } = createPod(cluster.api.store, 'web', { metadata: { namespace } });
    const path = podsPath(namespace, '/web');
    await expectCode(409, 'DELETE', path, { body: { preconditions: { uid: 'other' } } });
    await expectCode(409, 'DELETE', path, { body: { preconditions: { resourceVersion: '1' } } });
    await expectCode(200, 'DELETE', path, { body: { preconditions: { uid: metadata.uid } } });
  });

  it('can be tried out without effect', async () => {
    const namespace = freshNamespace();
    const path = podsPath(namespace, '/web');
    await expectCode(201, 'POST', `${podsPath(namespace)}?dryRun=All`, { body: web });
    await expectCode(404, 'GET', path);
    createPod(cluster.api.store, 'web', { metadata: { namespace } });
    const merge = { body: { metadata: { labels: { a: 'b' } } }, contentType: 'application/merge-patch+json' };
    const tried = await expectCode(200, 'PATCH', `${path}?dryRun=All`, merge);
    assert.equal(at(tried, 'metadata', 'labels', 'a'), 'b');
    await expectCode(200, 'DELETE', path, { body: { dryRun: ['All'] } });
    await expectCode(200, 'DELETE', `${path}?dryRun=All`);
    await expectCode(400, 'DELETE', `${path}?dryRun=Some`);
    await expectCode(400, 'POST', `${podsPath(namespace)}?dryRun=Some`, { body: web });
    assert.equal(at(await expectCode(200, 'GET', path), 'metadata', 'labels'), undefined);
  });

  it('can be ended for many at once, as far as selectors reach', async () => {
    const namespace = freshNamespace();
    const { store } = cluster.api;
    for (const name of ['a', 'b', 'c']) {
      createPod(store, name, { metadata: { namespace, labels: { half: name === 'c' ? 'no' : 'yes' } } });
    }
    const list = await expectCode(200, 'DELETE', `${podsPath(namespace)}?labelSelector=half%3Dyes`);
    assert.equal(list.kind, 'PodList');
    assert.deepEqual(
      store.list(pods, namespace).map(({ metadata }) => metadata.name),
      ['c'],
    );
  });
});

describe('writes that cannot be', () => {
  const at404 = '/api/v1/namespaces/nowhere/pods';
  const cases: [string, string, string, Call, number][] = [
    ['into a missing namespace', 'POST', at404, { body: web }, 404],
    [
      'of a name that is taken',
      'POST',
      '/api/v1/namespaces',
      { body: { metadata: { name: 'default' } } },
      409,
    ],
    ['of a bad name', 'POST', '/api/v1/nodes', { body: { metadata: { name: 'Node_1' } } }, 422],
    ['of another kind', 'POST', '/api/v1/nodes', { body: { kind: 'Pod', metadata: { name: 'n' } } }, 400],
    ['of nothing', 'POST', '/api/v1/nodes', {}, 400],
    ['of a list', 'POST', '/api/v1/nodes', { body: [] }, 400],
    ['of broken JSON', 'POST', '/api/v1/nodes', { body: '{' }, 400],
    ['of a form', 'POST', '/api/v1/nodes', { body: 'a=b', contentType: 'text/plain' }, 415],
    [
      'for another namespace than the URL’s',
      'POST',
      podsPath('default'),
      { body: { metadata: { name: 'x', namespace: 'kube-system' } } },
      400,
    ],
    [
      'for another name than the URL’s',
      'PUT',
      '/api/v1/namespaces/default',
      { body: { metadata: { name: 'other' } } },
      400,
    ],
    ['to what is not there', 'PUT', '/api/v1/nodes/gone', { body: { metadata: { name: 'gone' } } }, 404],
    ['by an unknown patch', 'PATCH', '/api/v1/namespaces/default', { body: {} }, 415],
    ['to a collection', 'PUT', '/api/v1/nodes', { body: {} }, 405],
    ['by an unknown method', 'OPTIONS', '/api/v1/nodes', {}, 405],
  ];
  for (const [what, method, path, call, code] of cases) {
    it(`are refused with ${code} ${what}`, async () => {
      const status = await expectCode(code, method, path, call);
      assert.equal(status.kind, 'Status');
      assert.equal(status.code, code);
      assert.notEqual(textAt(status, 'reason'), '');
    });
  }

  it('are refused beyond three megabytes, with an answer', async () => {
    const body = { metadata: { name: 'n' }, spec: { filler: 'x'.repeat(4 * 1024 * 1024) } };
    assert.equal((await expectCode(413, 'POST', '/api/v1/nodes', { body })).reason, 'RequestEntityTooLarge');
  });
});

describe('patches over HTTP', () => {
  function pod(): string {
    const namespace = freshNamespace();
    createPod(cluster.api.store, 'web', { metadata: { namespace, annotations: { role: 'reader' } } });
    return podsPath(namespace, '/web');
  }

  it('annotate as kubectl does', async () => {
    const patched = await patch(pod(), 'merge-patch+json', {
      metadata: { annotations: { role: 'writer', more: 'x' } },
    });
    assert.deepEqual(at(patched, 'metadata', 'annotations'), { role: 'writer', more: 'x' });
  });

  it('merge containers by name', async () => {
    const body = { spec: { containers: [{ name: 'main', image: 'web:2' }] } };
    const patched = await patch(pod(), 'strategic-merge-patch+json', body);
    assert.deepEqual(at(patched, 'spec', 'containers'), [{ name: 'main', image: 'web:2' }]);
  });

  it('test before they change', async () => {
    const path = pod();
    const operations = (role: string) => [
      { op: 'test', path: '/metadata/annotations/role', value: role },
      { op: 'remove', path: '/metadata/annotations/role' },
    ];
    assert.equal((await patch(path, 'json-patch+json', operations('other'), 422)).reason, 'Invalid');
    const patched = await patch(path, 'json-patch+json', operations('reader'));
    assert.deepEqual(at(patched, 'metadata', 'annotations'), {});
  });

  it('change only the status at its subresource', async () => {
    const path = pod();
    const body = { metadata: { labels: { a: 'b' } }, spec: { nodeName: 'n' }, status: { podIP: '10.0.0.1' } };
    const patched = await patch(`${path}/status`, 'merge-patch+json', body);
    assert.deepEqual(patched.status, { phase: 'Pending', podIP: '10.0.0.1' });
    assert.equal(at(patched, 'spec', 'nodeName'), undefined);
    assert.equal(at(patched, 'metadata', 'labels'), undefined);
    const main = await patch(path, 'merge-patch+json', { status: { podIP: '10.9.9.9' } });
    assert.equal(at(main, 'status', 'podIP'), '10.0.0.1');
  });

  it('lose the race they ask to be judged by', async () => {
    const path = pod();
    const { resourceVersion } = (await expectCode(200, 'GET', path)).metadata as { resourceVersion: string };
    const body = (value: string) => ({ metadata: { resourceVersion, labels: { value } } });
    await patch(path, 'merge-patch+json', body('1'));
    assert.equal((await patch(path, 'merge-patch+json', body('2'), 409)).reason, 'Conflict');
  });

  it('may not rename or move an object', async () => {
    const path = pod();
    await patch(path, 'merge-patch+json', { metadata: { name: 'other' } }, 400);
    await patch(path, 'merge-patch+json', { metadata: { namespace: 'other' } }, 400);
    await patch(path, 'merge-patch+json', { kind: 'Service' }, 400);
  });

  it('are refused where there is nothing to patch', async () => {
    const path = podsPath(freshNamespace(), '/web');
    for (const type of ['json-patch+json', 'merge-patch+json', 'strategic-merge-patch+json']) {
      await patch(path, type, type.startsWith('json') ? [] : {}, 404);
    }
  });

  it('apply what is not there yet, and then change it', async () => {
    const path = podsPath(freshNamespace(), '/web?fieldManager=test');
    const applied = await patch(path, 'apply-patch+yaml', { kind: 'Pod', apiVersion: 'v1', ...web }, 201);
    assert.equal(at(applied, 'metadata', 'name'), 'web');
    const again = await patch(path, 'apply-patch+yaml', { metadata: { labels: { tier: 'front' } } });
    assert.deepEqual(at(again, 'metadata', 'labels'), { app: 'web', tier: 'front' });
    assert.equal(at(again, 'metadata', 'uid'), at(applied, 'metadata', 'uid'));
    await patch(podsPath(freshNamespace(), '/web'), 'apply-patch+yaml', web, 400);
    await patch(podsPath(freshNamespace(), '/web/status?fieldManager=test'), 'apply-patch+yaml', web, 404);
    const tried = podsPath(freshNamespace(), '/web');
    await patch(`${tried}?fieldManager=test&dryRun=All`, 'apply-patch+yaml', web, 201);
    await expectCode(404, 'GET', tried);
  });
});

describe('representations over HTTP', () => {
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const metadataOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

  it('are tables for kubectl', async () => {
    const namespace = freshNamespace();
    createPod(cluster.api.store, 'web', { metadata: { namespace } });
    const list = await expectCode(200, 'GET', podsPath(namespace), { accept: table });
    assert.equal(list.kind, 'Table');
    assert.deepEqual(listAt(listAt(list, 'rows')[0], 'cells').slice(0, 3), ['web', '0/1', 'Pending']);
    const one = await expectCode(200, 'GET', `${podsPath(namespace, '/web')}?includeObject=Object`, {
      accept: table,
    });
    assert.equal(textAt(listAt(one, 'rows')[0], 'object', 'kind'), 'Pod');
  });

  it('are metadata for those who watch annotations', async () => {
    const namespace = freshNamespace();
    createPod(cluster.api.store, 'web', { metadata: { namespace } });
    const list = await expectCode(200, 'GET', podsPath(namespace), { accept: metadataOnly });
    assert.equal(list.kind, 'PartialObjectMetadataList');
    assert.equal(at(listAt(list, 'items')[0], 'spec'), undefined);
  });

  it('are refused where they cannot be had', async () => {
    const accept = 'application/vnd.kubernetes.protobuf';
    assert.equal((await expectCode(406, 'GET', '/api/v1/pods', { accept })).reason, 'NotAcceptable');
    await expectCode(406, 'GET', '/api/v1/pods?watch=true', { accept });
  });
});

describe('rights', () => {
  async function token(): Promise<string> {
    const request = { audiences: [], expirationSeconds: 600 };
    return accepted(await cluster.api.tokens.issue('default', 'default', request)).token;
  }

  it('are asked about verb, resource and namespace', async () => {
    const asRobot = { token: await token() };
    await expectCode(200, 'GET', podsPath('default'), asRobot);
    const denied = await expectCode(403, 'GET', '/api/v1/pods', asRobot);
    assert.equal(
      denied.message,
      'pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" at the cluster scope',
    );
    const one = await expectCode(403, 'GET', podsPath('default', '/web/status'), asRobot);
    assert.match(
      textAt(one, 'message'),
      /^pods "web" is forbidden: .* cannot get resource "pods\/status" .* in the namespace "default"$/,
    );
    await expectCode(403, 'POST', podsPath('default'), { ...asRobot, body: web });
  });

  it('are nobody’s without a token, or with a bad one', async () => {
    for (const bad of ['', 'nonsense', 'admin-toke']) {
      assert.equal((await expectCode(401, 'GET', '/api/v1/pods', { token: bad })).reason, 'Unauthorized');
    }
  });

  it('end with the token’s time', async () => {
    const other = await startTestCluster();
    const request = { audiences: [], expirationSeconds: 600 };
    const { token: short } = accepted(await other.api.tokens.issue('default', 'default', request));
    assert.equal((await other.call('GET', '/api/v1/pods', { token: short })).code, 200);
    await other.clock.advance(601_000);
    assert.equal((await other.call('GET', '/api/v1/pods', { token: short })).code, 401);
    await other.close();
  });
});

describe('objects without a table of their own', () => {
  it('are kept whatever is in them', async () => {
    const namespace = freshNamespace();
    const body = { metadata: { name: 'c' }, data: { 'a.txt': 'ü\n' }, unknown: [{ deep: null }] };
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const made = await expectCode(201, 'POST', path, { body });
    assert.deepEqual({ data: made.data, unknown: made.unknown }, { data: body.data, unknown: body.unknown });
    assert.ok(cluster.api.store.get(configMaps, namespace, 'c'));
    const review = await expectCode(405, 'GET', '/apis/authentication.k8s.io/v1/tokenreviews');
    assert.equal(review.reason, 'MethodNotAllowed');
  });
});
