import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFieldSelector } from './field-selector.ts';
import { resourceNamed } from './resources.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { configMaps, namespaces, nodes, pods } from './testing/test-store.ts';

const pod = {
  metadata: { name: 'web', namespace: 'shop' },
  spec: { nodeName: 'node-1', serviceAccountName: 'robot' },
  status: { phase: 'Running', podIP: '10.0.0.7' },
};

describe('field selectors', () => {
  const cases: [string, boolean][] = [
    ['', true],
    ['metadata.name=web', true],
    ['metadata.name==web', true],
    ['metadata.name!=web', false],
    ['metadata.namespace=shop', true],
    ['spec.nodeName=node-1', true],
    ['spec.nodeName=node-2', false],
    ['spec.nodeName!=node-2', true],
    ['spec.nodeName=', false],
    ['status.podIP=10.0.0.7', true],
    ['spec.serviceAccountName=robot', true],
    ['spec.nodeName=node-1,status.phase=Running', true],
    ['spec.nodeName=node-1,status.phase!=Running', false],
    ['spec.hostNetwork=false', true],
    ['spec.hostNetwork=true', false],
    ['status.nominatedNodeName=', true],
    ['metadata.name=a\\,b', false],
  ];
  for (const [selector, matches] of cases) {
    it(`reads ${JSON.stringify(selector)}`, () => {
      assert.equal(accepted(parseFieldSelector(pods, selector))(pod), matches);
    });
  }

  it('reads escaped commas, equals signs and backslashes', () => {
    const secrets = resourceNamed('secrets');
    const match = accepted(parseFieldSelector(secrets, 'type=a\\,b\\=c\\\\d,metadata.name=x'));
    assert.ok(match({ metadata: { name: 'x' }, type: 'a,b=c\\d' }));
    assert.ok(!match({ metadata: { name: 'x' }, type: 'a' }));
  });

  it('finds events by what they are about', () => {
    const event = {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', name: 'web', uid: 'u' },
      reason: 'Denied',
    };
    const selector = 'involvedObject.name=web,involvedObject.kind=Pod,involvedObject.uid=u,reason=Denied';
    assert.ok(accepted(parseFieldSelector(resourceNamed('events'), selector))(event));
    const newer = resourceNamed('events.events.k8s.io');
    assert.ok(accepted(parseFieldSelector(newer, 'regarding.name=web'))({ regarding: { name: 'web' } }));
  });

  it('counts true where a flag is set', () => {
    const match = accepted(parseFieldSelector(nodes, 'spec.unschedulable=true'));
    assert.ok(match({ spec: { unschedulable: true } }));
    assert.ok(!match({ spec: {} }));
  });

  const unsupported: [typeof pods, string][] = [
    [pods, 'spec.containers=x'],
    [pods, 'metadata.labels=x'],
    [configMaps, 'spec.nodeName=x'],
    [namespaces, 'metadata.namespace=x'],
    [pods, 'constructor=x'],
  ];
  for (const [resource, selector] of unsupported) {
    it(`refuses ${selector} for ${resource.plural}, which Kubernetes cannot select by`, () => {
      assert.match(
        refusal(parseFieldSelector(resource, selector), 400).message ?? '',
        /field label not supported/,
      );
    });
  }

  for (const selector of [
    'metadata.name',
    '=x',
    'metadata.name=a=b',
    'metadata.name=a\\x',
    'metadata.name>x',
  ]) {
    it(`refuses ${JSON.stringify(selector)}`, () => {
      refusal(parseFieldSelector(pods, selector), 400, 'BadRequest');
    });
  }
});
