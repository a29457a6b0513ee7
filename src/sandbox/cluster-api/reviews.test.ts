import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeJwt } from 'jose';
import { at, type Json, type JsonObject, textAt } from './json.ts';
import { startTestCluster, type TestCluster } from './testing/test-cluster.ts';
import { createPod } from './testing/test-store.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await startTestCluster({
    authorize: (user, verb, resource, namespace) =>
      user.groups.includes('system:masters') ||
      resource.startsWith('selfsubject') ||
      (verb === 'list' && resource === 'deployments.apps/status' && namespace === 'shop'),
  });
  createPod(cluster.api.store, 'web');
});
after(() => cluster.close());

const tokenPath = '/api/v1/namespaces/default/serviceaccounts/default/token';
const reviewPath = '/apis/authentication.k8s.io/v1/tokenreviews';
const accessPath = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

async function requestToken(spec = {}): Promise<string> {
  const { code, body } = await cluster.call('POST', tokenPath, { body: { spec } });
  assert.equal(code, 201);
  return textAt(body, 'status', 'token');
}

describe('the token of a service account', () => {
  it('is made as asked, and told with its end', async () => {
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'web' };
    const spec = { audiences: ['sts.amazonaws.com'], expirationSeconds: 900, boundObjectRef };
    const { code, body } = await cluster.call('POST', tokenPath, { body: { spec } });
    assert.equal(code, 201);
    assert.equal(body.kind, 'TokenRequest');
    assert.deepEqual(body.spec, spec);
    assert.equal(at(body, 'status', 'expirationTimestamp'), '2026-01-01T00:15:00Z');
    const payload = decodeJwt(textAt(body, 'status', 'token'));
    assert.deepEqual(payload.aud, ['sts.amazonaws.com']);
    assert.equal(payload.exp, Date.parse('2026-01-01T00:15:00Z') / 1_000);
  });

  it('is for the API unless it is asked for somebody else', async () => {
    assert.deepEqual(decodeJwt(await requestToken()).aud, ['https://kubernetes.default.svc.cluster.local']);
  });

  const refused: [string, Json, number, string][] = [
    [tokenPath, { spec: { expirationSeconds: 60 } }, 422, 'Invalid'],
    [tokenPath, [], 400, 'BadRequest'],
    ['/api/v1/namespaces/default/serviceaccounts/nobody/token', {}, 404, 'NotFound'],
    [tokenPath, { spec: { boundObjectRef: { kind: 'Pod', name: 'gone' } } }, 404, 'NotFound'],
  ];
  for (const [path, body, expected, reason] of refused) {
    it(`is refused with ${expected} for ${JSON.stringify(body)} at ${path}`, async () => {
      const { code, body: status } = await cluster.call('POST', path, { body });
      assert.equal(code, expected);
      assert.equal(status.reason, reason);
    });
  }
});

describe('TokenReview', () => {
  it('says whose token it is, and does not repeat it', async () => {
    const token = await requestToken({
      audiences: ['podpass'],
      boundObjectRef: { kind: 'Pod', name: 'web' },
    });
    const spec = { token, audiences: ['podpass', 'other'] };
    const { code, body } = await cluster.call('POST', reviewPath, { body: { spec } });
    assert.equal(code, 201);
    assert.equal(body.kind, 'TokenReview');
    assert.equal(body.apiVersion, 'authentication.k8s.io/v1');
    assert.equal(at(body, 'status', 'authenticated'), true);
    assert.deepEqual(at(body, 'status', 'audiences'), ['podpass']);
    assert.equal(at(body, 'status', 'user', 'username'), 'system:serviceaccount:default:default');
    assert.deepEqual(at(body, 'status', 'user', 'extra', 'authentication.kubernetes.io/pod-name'), ['web']);
    assert.ok(!JSON.stringify(body).includes(token));
  });

  it('says no to other audiences and to texts', async () => {
    const token = await requestToken({ audiences: ['podpass'] });
    for (const spec of [{ token, audiences: ['other'] }, { token }, { token: 'nonsense' }]) {
      const { code, body } = await cluster.call('POST', reviewPath, { body: { spec } });
      assert.equal(code, 201);
      assert.equal(at(body, 'status', 'authenticated'), false);
      assert.equal(at(body, 'status', 'user'), undefined);
      assert.notEqual(textAt(body, 'status', 'error'), '');
    }
  });

  it('is refused without a token', async () => {
    assert.equal((await cluster.call('POST', reviewPath, { body: { spec: {} } })).code, 400);
    assert.equal((await cluster.call('POST', reviewPath, { body: 'null' })).code, 400);
  });
});

describe('questions about oneself', () => {
  it('are answered with who one is', async () => {
    const { body } = await cluster.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: {},
    });
    assert.equal(at(body, 'status', 'userInfo', 'username'), 'kubernetes-admin');
  });

  const attributes = {
    verb: 'list',
    group: 'apps',
    resource: 'deployments',
    subresource: 'status',
    namespace: 'shop',
  };
  const cases: [string, JsonObject, boolean][] = [
    ['what is allowed', { resourceAttributes: attributes }, true],
    ['another verb', { resourceAttributes: { ...attributes, verb: 'get' } }, false],
    ['another namespace', { resourceAttributes: { ...attributes, namespace: '' } }, false],
    ['paths that are no resources', { nonResourceAttributes: { path: '/version', verb: 'get' } }, true],
  ];
  for (const [what, spec, allowed] of cases) {
    it(`are answered ${allowed ? 'yes' : 'no'} for ${what}`, async () => {
      const token = await requestToken();
      const { code, body } = await cluster.call('POST', accessPath, { body: { spec }, token });
      assert.equal(code, 201);
      assert.equal(at(body, 'status', 'allowed'), allowed);
    });
  }
});
