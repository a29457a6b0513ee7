import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from './json.ts';
import { parseDraft, timestamp } from './objects.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { deployments, pods } from './testing/test-store.ts';

describe('parseDraft', () => {
  it('fills in apiVersion and kind, and keeps everything else', () => {
    const draft = accepted(
      parseDraft(deployments, { metadata: { name: 'api' }, spec: { replicas: 2 }, anything: [1] }),
    );
    assert.deepEqual(draft, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'api' },
      spec: { replicas: 2 },
      anything: [1],
    });
  });

  it('takes null metadata fields as absent, as kubectl writes creationTimestamp', () => {
    const draft = accepted(
      parseDraft(pods, { metadata: { name: 'web', creationTimestamp: null, labels: null } }),
    );
    assert.deepEqual(draft.metadata, { name: 'web' });
  });

  it('takes an object without metadata', () => {
    assert.deepEqual(accepted(parseDraft(pods, {})).metadata, {});
  });

  const wrong: [string, Json, RegExp][] = [
    ['a list', [], /not a Pod/],
    ['a text', 'pod', /not a Pod/],
    ['null', null, /not a Pod/],
    ['another kind', { kind: 'Service' }, /cannot be handled as a Service/],
    ['another version', { apiVersion: 'v2' }, /\(v2\) does not match the expected API version \(v1\)/],
    ['metadata that are a text', { metadata: 'x' }, /metadata/],
    ['a name that is a number', { metadata: { name: 5 } }, /metadata\.name/],
    [
      'a resource version that is a number',
      { metadata: { resourceVersion: 5 } },
      /metadata\.resourceVersion/,
    ],
    ['a label that is a number', { metadata: { labels: { version: 2 } } }, /metadata\.labels/],
    ['an annotation that is a flag', { metadata: { annotations: { on: true } } }, /metadata\.annotations/],
    ['annotations that are a list', { metadata: { annotations: [] } }, /metadata\.annotations/],
    ['finalizers that are a text', { metadata: { finalizers: 'x' } }, /metadata\.finalizers/],
    ['finalizers that are numbers', { metadata: { finalizers: [1] } }, /metadata\.finalizers/],
  ];
  for (const [what, value, pattern] of wrong) {
    it(`refuses ${what}`, () => {
      assert.match(refusal(parseDraft(pods, value), 400, 'BadRequest').message ?? '', pattern);
    });
  }
});

describe('timestamp', () => {
  it('is in whole seconds, which Kubernetes insists on', () => {
    assert.equal(timestamp(1_767_225_600_987), '2026-01-01T00:00:00Z');
  });
});
