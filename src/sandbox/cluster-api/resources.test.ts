import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  findResource,
  findResourceOfKind,
  groupVersion,
  isStored,
  resourceKey,
  resourceNamed,
  resources,
} from './resources.ts';

describe('the table of resources', () => {
  it('finds each row by URL, by kind and by key', () => {
    for (const resource of resources) {
      assert.equal(findResource(resource.group, resource.version, resource.plural), resource);
      assert.equal(findResourceOfKind(groupVersion(resource), resource.kind), resource);
      assert.equal(resourceNamed(resourceKey(resource)), resource);
    }
  });

  it('has no two rows of one key', () => {
    assert.equal(new Set(resources.map(resourceKey)).size, resources.length);
  });

  const names: [string, string, string, boolean][] = [
    ['pods', 'v1', 'Pod', true],
    ['namespaces', 'v1', 'Namespace', false],
    ['nodes', 'v1', 'Node', false],
    ['endpoints', 'v1', 'Endpoints', true],
    ['serviceaccounts', 'v1', 'ServiceAccount', true],
    ['deployments.apps', 'apps/v1', 'Deployment', true],
    ['cronjobs.batch', 'batch/v1', 'CronJob', true],
    ['leases.coordination.k8s.io', 'coordination.k8s.io/v1', 'Lease', true],
    ['endpointslices.discovery.k8s.io', 'discovery.k8s.io/v1', 'EndpointSlice', true],
    ['clusterroles.rbac.authorization.k8s.io', 'rbac.authorization.k8s.io/v1', 'ClusterRole', false],
    [
      'mutatingwebhookconfigurations.admissionregistration.k8s.io',
      'admissionregistration.k8s.io/v1',
      'MutatingWebhookConfiguration',
      false,
    ],
  ];
  for (const [key, apiVersion, kind, namespaced] of names) {
    it(`knows ${key} as Kubernetes does`, () => {
      const resource = resourceNamed(key);
      assert.equal(groupVersion(resource), apiVersion);
      assert.equal(resource.kind, kind);
      assert.equal(resource.listKind, `${kind}List`);
      assert.equal(resource.namespaced, namespaced);
      assert.ok(isStored(resource));
      for (const verb of ['list', 'watch', 'patch']) assert.ok(resource.verbs.includes(verb));
    });
  }

  it('keeps nothing of reviews', () => {
    for (const kind of ['TokenReview', 'SelfSubjectReview']) {
      const review = findResourceOfKind('authentication.k8s.io/v1', kind);
      assert.ok(review && !isStored(review));
      assert.deepEqual(review.verbs, ['create']);
    }
  });

  it('gives only service accounts tokens', () => {
    const withTokens = resources.filter(({ subresources }) => subresources.includes('token'));
    assert.deepEqual(withTokens.map(resourceKey), ['serviceaccounts']);
  });

  it('finds nothing for what is not in it', () => {
    assert.equal(findResource('', 'v1', 'unicorns'), undefined);
    assert.equal(findResource('apps', 'v1beta1', 'deployments'), undefined);
    assert.equal(findResource('', 'v1', 'deployments'), undefined);
    assert.equal(findResourceOfKind('v1', 'Deployment'), undefined);
    assert.throws(() => resourceNamed('unicorns'), RangeError);
  });
});
