import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isObject, listAt, textAt } from './json.ts';
import { groupVersion, isStored, resources } from './resources.ts';
import { startTestCluster, type TestCluster } from './testing/test-cluster.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await startTestCluster();
});
after(() => cluster.close());

describe('what anyone may read', () => {
  for (const path of [
    '/healthz',
    '/livez',
    '/readyz',
    '/version',
    '/openid/v1/jwks',
    '/.well-known/openid-configuration',
  ]) {
    it(`is ${path}`, async () => {
      assert.equal((await cluster.call('GET', path, { token: '' })).code, 200);
    });
  }

  it('says ok as an API server does', async () => {
    const { body, contentType } = await cluster.call('GET', '/readyz', { token: '' });
    assert.equal(body.text, 'ok');
    assert.match(contentType, /^text\/plain/);
  });

  it('has a version that kubectl can parse', async () => {
    const { body } = await cluster.call('GET', '/version', { token: '' });
    assert.match(textAt(body, 'gitVersion'), /^v1\.\d+\.\d+/);
    assert.equal(textAt(body, 'gitVersion').split('.')[1], textAt(body, 'minor'));
  });

  it('leads from the issuer to its keys', async () => {
    const { body } = await cluster.call('GET', '/.well-known/openid-configuration', { token: '' });
    assert.equal(body.issuer, 'https://kubernetes.default.svc.cluster.local');
    assert.equal(body.jwks_uri, `${body.issuer}/openid/v1/jwks`);
    const keys = await cluster.call('GET', '/openid/v1/jwks', { token: '' });
    assert.equal(keys.contentType, 'application/jwk-set+json');
    const [key] = listAt(keys.body, 'keys');
    assert.deepEqual(isObject(key) && Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });
});

describe('what only users may read', () => {
  for (const path of [
    '/api',
    '/apis',
    '/api/v1',
    '/apis/apps',
    '/openapi/v3',
    '/openapi/v2',
    '/api/v1/pods',
    '/nowhere',
  ]) {
    it(`includes ${path}`, async () => {
      const { code, body } = await cluster.call('GET', path, { token: '' });
      assert.equal(code, 401);
      assert.equal(body.kind, 'Status');
    });
  }
});

describe('discovery', () => {
  const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

  it('has every resource, step by step', async () => {
    const { body: core } = await cluster.call('GET', '/api');
    assert.deepEqual(core.versions, ['v1']);
    const { body: groups } = await cluster.call('GET', '/apis');
    const versions = listAt(groups, 'groups').map((group) =>
      textAt(group, 'preferredVersion', 'groupVersion'),
    );
    const found: string[] = [];
    for (const version of ['v1', ...versions]) {
      const path = version === 'v1' ? '/api/v1' : `/apis/${version}`;
      const { code, body } = await cluster.call('GET', path);
      assert.equal(code, 200, path);
      assert.equal(body.groupVersion, version);
      found.push(...listAt(body, 'resources').map((resource) => `${version}/${textAt(resource, 'name')}`));
    }
    const expected = resources.flatMap((resource) => {
      const name = `${groupVersion(resource)}/${resource.plural}`;
      return [name, ...resource.subresources.map((subresource) => `${name}/${subresource}`)];
    });
    assert.deepEqual(found.sort(), expected.sort());
  });

  it('has every resource at once for those who ask', async () => {
    const found: string[] = [];
    for (const path of ['/api', '/apis']) {
      const { body, contentType } = await cluster.call('GET', path, { accept: aggregated });
      assert.equal(contentType, 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
      assert.equal(body.kind, 'APIGroupDiscoveryList');
      for (const group of listAt(body, 'items')) {
        for (const version of listAt(group, 'versions')) {
          for (const resource of listAt(version, 'resources')) {
            const name = [
              textAt(group, 'metadata', 'name'),
              textAt(version, 'version'),
              textAt(resource, 'resource'),
            ];
            found.push(name.filter(Boolean).join('/'));
          }
        }
      }
    }
    const expected = resources.map((resource) => `${groupVersion(resource)}/${resource.plural}`);
    assert.deepEqual(found.sort(), expected.sort());
  });

  it('tells names, scope and verbs of a resource', async () => {
    const { body } = await cluster.call('GET', '/api/v1/');
    const pod = listAt(body, 'resources').find((resource) => textAt(resource, 'name') === 'pods');
    assert.deepEqual(pod, {
      name: 'pods',
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['po'],
      categories: ['all'],
    });
    const token = listAt(body, 'resources').find(
      (resource) => textAt(resource, 'name') === 'serviceaccounts/token',
    );
    assert.equal(textAt(token, 'kind'), 'TokenRequest');
    assert.equal(textAt(token, 'group'), 'authentication.k8s.io');
  });

  it('describes one group', async () => {
    const { body } = await cluster.call('GET', '/apis/apps');
    assert.equal(body.kind, 'APIGroup');
    assert.equal(body.name, 'apps');
  });

  for (const path of [
    '/apis/unicorns.example',
    '/apis/apps/v9',
    '/api/v2',
    '/api/v1/unicorns',
    '/openapi/v3/apis/x/v1',
    '/metrics',
  ]) {
    it(`has nothing at ${path}`, async () => {
      const { code, body } = await cluster.call('GET', path);
      assert.equal(code, 404);
      assert.equal(body.reason, 'NotFound');
    });
  }
});

describe('OpenAPI', () => {
  it('says of every kind that writes of it can be validated and tried out, which kubectl asks before each', async () => {
    const { body: index } = await cluster.call('GET', '/openapi/v3');
    const paths = isObject(index.paths) ? index.paths : {};
    const found = new Set<string>();
    for (const entry of Object.values(paths)) {
      const { code, body } = await cluster.call('GET', textAt(entry, 'serverRelativeURL'));
      assert.equal(code, 200);
      for (const path of Object.values(isObject(body.paths) ? body.paths : {})) {
        const patch = isObject(path) && isObject(path.patch) ? path.patch : {};
        const parameters = listAt(patch, 'parameters').map((parameter) => textAt(parameter, 'name'));
        assert.ok(parameters.includes('fieldValidation') && parameters.includes('dryRun'));
        const kind = patch['x-kubernetes-group-version-kind'];
        found.add(`${textAt(kind, 'group')}/${textAt(kind, 'version')}/${textAt(kind, 'kind')}`);
      }
    }
    const expected = resources
      .filter(isStored)
      .map(({ group, version, kind }) => `${group}/${version}/${kind}`);
    assert.deepEqual([...found].sort(), expected.sort());
  });

  it('of the old kind is there, as JSON and as the protobuf that kubectl asks for', async () => {
    assert.equal((await cluster.call('GET', '/openapi/v2')).body.swagger, '2.0');
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const { code, contentType } = await cluster.call('GET', '/openapi/v2', { accept });
    assert.equal(code, 200);
    assert.equal(contentType, accept);
  });
});
