import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIncludeObject } from './included-object.ts';
import { negotiate, type Representation, showList, showObject } from './representation.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { createPod, deployments, pods, testStore } from './testing/test-store.ts';

describe('negotiation', () => {
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const cases: [string, Representation][] = [
    ['', 'whole'],
    ['*/*', 'whole'],
    ['application/json', 'whole'],
    ['application/json;charset=utf-8', 'whole'],
    [`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'table'],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', 'whole'],
    ['application/json; as=Table; g=meta.k8s.io; v=v1', 'table'],
    ['application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1', 'metadata'],
    ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json', 'metadata'],
    ['application/vnd.kubernetes.protobuf, application/json', 'whole'],
    ['application/json;as=Table;v=v1;g=other.example, */*', 'whole'],
  ];
  for (const [accept, representation] of cases) {
    it(`gives ${representation} for ${JSON.stringify(accept.slice(0, 60))}`, () => {
      assert.equal(accepted(negotiate(accept)), representation);
    });
  }

  for (const accept of [
    'application/vnd.kubernetes.protobuf',
    'text/html',
    'application/json;as=Table;v=v2;g=meta.k8s.io',
  ]) {
    it(`has nothing for ${accept}`, () => {
      refusal(negotiate(accept), 406, 'NotAcceptable');
    });
  }
});

describe('objects and lists as they are shown', () => {
  const { store } = testStore();
  const pod = createPod(store, 'web');
  const show = (representation: Representation) =>
    ({ resource: pods, representation, includeObject: 'Metadata', now: 0 }) as const;

  it('are whole', () => {
    assert.equal(showObject(pod, show('whole')), pod);
    assert.deepEqual(showList([pod], { resourceVersion: '9' }, show('whole')), {
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '9' },
      items: [pod],
    });
    const list = showList([], {}, { ...show('whole'), resource: deployments });
    assert.equal(list.apiVersion, 'apps/v1');
    assert.equal(list.kind, 'DeploymentList');
  });

  it('are their metadata', () => {
    const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: pod.metadata };
    assert.deepEqual(showObject(pod, show('metadata')), partial);
    assert.deepEqual(showList([pod], { resourceVersion: '9' }, show('metadata')), {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '9' },
      items: [partial],
    });
  });

  it('are tables that know their version', () => {
    assert.deepEqual(showObject(pod, show('table')).metadata, {
      resourceVersion: pod.metadata.resourceVersion,
    });
    assert.deepEqual(showList([], { resourceVersion: '9' }, show('table')).metadata, {
      resourceVersion: '9',
    });
  });

  it('carry in rows what is asked for, the metadata by default', () => {
    assert.deepEqual(['None', 'Object', 'Metadata', '', 'x'].map(parseIncludeObject), [
      'None',
      'Object',
      'Metadata',
      'Metadata',
      'Metadata',
    ]);
  });
});
