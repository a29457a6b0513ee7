import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { resourceKey } from './resources.ts';
import { parseRoute } from './route.ts';
import { verbOf } from './verb.ts';

function describeRoute(path: string): string | undefined {
  const route = parseRoute(path);
  return (
    route &&
    [resourceKey(route.resource), route.namespace ?? '*', route.name ?? '*', route.subresource ?? '']
      .join(' ')
      .trim()
  );
}

describe('routes', () => {
  const found: [string, string][] = [
    ['/api/v1/pods', 'pods * *'],
    ['/api/v1/pods/', 'pods * *'],
    ['/api/v1/namespaces', 'namespaces * *'],
    ['/api/v1/namespaces/shop', 'namespaces * shop'],
    ['/api/v1/namespaces/shop/status', 'namespaces * shop status'],
    ['/api/v1/namespaces/shop/finalize', 'namespaces * shop finalize'],
    ['/api/v1/namespaces/shop/pods', 'pods shop *'],
    ['/api/v1/namespaces/shop/pods/web', 'pods shop web'],
    ['/api/v1/namespaces/shop/pods/web/status', 'pods shop web status'],
    ['/api/v1/namespaces/shop/serviceaccounts/robot/token', 'serviceaccounts shop robot token'],
    ['/api/v1/namespaces/pods/pods/pods', 'pods pods pods'],
    ['/api/v1/nodes/node-1/status', 'nodes * node-1 status'],
    ['/apis/apps/v1/deployments', 'deployments.apps * *'],
    ['/apis/apps/v1/namespaces/shop/deployments/api', 'deployments.apps shop api'],
    [
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
      'clusterroles.rbac.authorization.k8s.io * system:node',
    ],
    ['/apis/authentication.k8s.io/v1/tokenreviews', 'tokenreviews.authentication.k8s.io * *'],
  ];
  for (const [path, route] of found) {
    it(`leads ${path} to ${route}`, () => assert.equal(describeRoute(path), route));
  }

  const lost = [
    '/',
    '',
    '/api',
    '/api/v1',
    '/api/v2/pods',
    '/api/v1/unicorns',
    '/api/v1/deployments',
    '/apis/apps/v1beta1/deployments',
    '/apis/apps/v1/namespaces/shop',
    '/api/v1/pods/web',
    '/api/v1/namespaces/shop/pods/web/token',
    '/api/v1/namespaces/shop/pods/web/log',
    '/api/v1/namespaces/shop/pods/web/status/more',
    '/api/v1/namespaces/shop/nodes/n',
    '/api/v1/namespaces//pods',
    '/api//v1/pods',
    '/api/v1/namespaces/%zz/pods',
    '/metrics',
  ];
  for (const path of lost)
    it(`leads ${JSON.stringify(path)} nowhere`, () => assert.equal(parseRoute(path), undefined));

  it('leads any path somewhere or nowhere, but never throws', () => {
    const part = fc.oneof(
      fc.constantFrom('api', 'apis', 'v1', 'apps', 'namespaces', 'pods', 'status', ''),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
        const route = parseRoute(`/${parts.join('/')}`);
        if (route?.name !== undefined) assert.notEqual(route.name, '');
      }),
    );
  });
});

describe('verbs', () => {
  const cases: [string, string, string | undefined][] = [
    ['GET', '/api/v1/pods', 'list'],
    ['GET', '/api/v1/pods?watch=true', 'watch'],
    ['GET', '/api/v1/pods?watch=1', 'watch'],
    ['GET', '/api/v1/pods?watch=false', 'list'],
    ['GET', '/api/v1/namespaces/a/pods/b', 'get'],
    ['GET', '/api/v1/namespaces/a/pods/b?watch=true', 'get'],
    ['GET', '/api/v1/namespaces/a/pods/b/status', 'get'],
    ['POST', '/api/v1/namespaces/a/pods', 'create'],
    ['POST', '/api/v1/pods', undefined],
    ['POST', '/api/v1/nodes', 'create'],
    ['POST', '/api/v1/namespaces/a/pods/b', undefined],
    ['PUT', '/api/v1/namespaces/a/pods/b', 'update'],
    ['PUT', '/api/v1/namespaces/a/pods/b/status', 'update'],
    ['PUT', '/api/v1/namespaces/a/pods', undefined],
    ['PATCH', '/api/v1/namespaces/a/pods/b', 'patch'],
    ['PATCH', '/api/v1/namespaces/a/pods/b/status', 'patch'],
    ['DELETE', '/api/v1/namespaces/a/pods/b', 'delete'],
    ['DELETE', '/api/v1/namespaces/a/pods/b/status', undefined],
    ['DELETE', '/api/v1/namespaces/a/pods', 'deletecollection'],
    ['DELETE', '/api/v1/pods', undefined],
    ['POST', '/api/v1/namespaces/a/serviceaccounts/b/token', 'create'],
    ['GET', '/api/v1/namespaces/a/serviceaccounts/b/token', undefined],
    ['PUT', '/api/v1/namespaces/a/serviceaccounts/b/token', undefined],
    ['POST', '/apis/authentication.k8s.io/v1/tokenreviews', 'create'],
    ['GET', '/apis/authentication.k8s.io/v1/tokenreviews', undefined],
    ['OPTIONS', '/api/v1/namespaces/a/pods/b', undefined],
  ];
  for (const [method, url, verb] of cases) {
    it(`takes ${method} ${url} as ${verb ?? 'nothing it knows'}`, () => {
      const [path = '', query] = url.split('?');
      const route = parseRoute(path);
      assert.ok(route);
      assert.equal(verbOf(method, route, new URLSearchParams(query)), verb);
    });
  }
});
