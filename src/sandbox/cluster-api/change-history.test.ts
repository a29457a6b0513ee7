import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Change, createChangeHistory } from './change-history.ts';
import type { Resource } from './resources.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { nodes, pods } from './testing/test-store.ts';

function change(resource: Resource, resourceVersion: number): Change {
  const metadata = {
    name: `object-${resourceVersion}`,
    uid: String(resourceVersion),
    resourceVersion: String(resourceVersion),
    creationTimestamp: '',
  };
  return {
    type: 'ADDED',
    resource,
    resourceVersion,
    object: { apiVersion: 'v1', kind: resource.kind, metadata },
  };
}

describe('the history of changes', () => {
  it('has the changes of one resource after a version', () => {
    const history = createChangeHistory(100);
    for (const [index, resource] of [pods, nodes, pods, nodes].entries())
      history.add(change(resource, index + 1));
    const versions = (from: number) => accepted(history.since(pods, from)).map((one) => one.resourceVersion);
    assert.deepEqual(versions(0), [1, 3]);
    assert.deepEqual(versions(1), [3]);
    assert.deepEqual(versions(2), [3]);
    assert.deepEqual(versions(3), []);
    assert.deepEqual(versions(99), []);
  });

  it('keeps at least its limit and never much more, and says so when something is missing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 100 }), (limit, count) => {
        const history = createChangeHistory(limit);
        for (let version = 1; version <= count; version++) history.add(change(pods, version));
        for (let from = 0; from <= count; from++) {
          const outcome = history.since(pods, from);
          const missing = count - from;
          if (missing <= limit) assert.equal(accepted(outcome).length, missing);
          else if (outcome.kind === 'done') {
            assert.equal(outcome.value.length, missing);
            assert.ok(missing <= limit * 1.25);
          } else assert.equal(outcome.status.code, 410);
        }
      }),
    );
  });

  it('tells a client how old its version is', () => {
    const history = createChangeHistory(100);
    history.expire(50);
    const { message } = refusal(history.since(pods, 7), 410, 'Expired');
    assert.equal(message, 'too old resource version: 7 (50)');
    assert.deepEqual(accepted(history.since(pods, 50)), []);
  });

  it('forgets what it is told to and keeps the rest', () => {
    const history = createChangeHistory(100);
    for (let version = 1; version <= 5; version++) history.add(change(pods, version));
    history.expire(3);
    assert.deepEqual(
      accepted(history.since(pods, 3)).map((one) => one.resourceVersion),
      [4, 5],
    );
    refusal(history.since(pods, 2), 410);
  });
});
