import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accepted, refusal } from './testing/outcomes.ts';
import { createPod, pods, testStore } from './testing/test-store.ts';
import { isTrue, parseWatchRequest } from './watch-request.ts';

function parse(query: string, namespace?: string) {
  return parseWatchRequest(pods, namespace, new URLSearchParams(query));
}

describe('the parameters of a watch', () => {
  it('may all be missing', () => {
    const { resource, resourceVersion, bookmarks, initialEvents, timeoutMillis } = accepted(parse(''));
    assert.equal(resource, pods);
    assert.deepEqual(
      { resourceVersion, bookmarks, initialEvents, timeoutMillis },
      {
        resourceVersion: 0,
        bookmarks: false,
        initialEvents: false,
        timeoutMillis: undefined,
      },
    );
  });

  it('are read as client-go writes them', () => {
    const query =
      'allowWatchBookmarks=true&resourceVersion=12&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=312';
    const { resourceVersion, bookmarks, initialEvents, timeoutMillis } = accepted(parse(query));
    assert.deepEqual([resourceVersion, bookmarks, initialEvents, timeoutMillis], [12, true, true, 312_000]);
  });

  it('select by namespace, labels and fields', () => {
    const { store } = testStore();
    const { matches } = accepted(
      parse('labelSelector=app%3Dweb&fieldSelector=spec.nodeName%3Dn1', 'default'),
    );
    const labels = { app: 'web' };
    assert.ok(matches(createPod(store, 'a', { metadata: { labels }, spec: { nodeName: 'n1' } })));
    assert.ok(!matches(createPod(store, 'b', { metadata: { labels } })));
    assert.ok(!matches(createPod(store, 'c', { spec: { nodeName: 'n1' } })));
    const elsewhere = { metadata: { labels, namespace: 'kube-system' }, spec: { nodeName: 'n1' } };
    assert.ok(!matches(createPod(store, 'd', elsewhere)));
  });

  it('take no timeout for one of zero', () => {
    assert.equal(accepted(parse('timeoutSeconds=0')).timeoutMillis, undefined);
  });

  const wrong: [string, number][] = [
    ['sendInitialEvents=true', 422],
    ['sendInitialEvents=true&resourceVersionMatch=Exact', 422],
    ['sendInitialEvents=false', 422],
    ['resourceVersionMatch=NotOlderThan', 422],
    ['resourceVersion=x', 400],
    ['timeoutSeconds=x', 400],
    ['timeoutSeconds=-1', 400],
    ['labelSelector=%3D', 400],
    ['fieldSelector=spec.color%3Dred', 400],
  ];
  for (const [query, code] of wrong) {
    it(`are refused as ${query}`, () => {
      refusal(parse(query), code);
    });
  }

  it('are true as Go has it', () => {
    assert.deepEqual(['true', '1', 'false', '0', '', null].map(isTrue), [
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
