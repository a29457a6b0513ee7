import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatContinueToken, parseContinueToken } from './continue-token.ts';
import { textAt } from './json.ts';
import { listPage } from './list.ts';
import type { ObjectStore } from './object-store.ts';
import { parseResourceVersion } from './resource-version.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { changed, createPod, pods, testStore } from './testing/test-store.ts';

function list(store: ObjectStore, query: Record<string, string> = {}, namespace?: string) {
  return listPage(store, pods, namespace, new URLSearchParams(query));
}

function names(store: ObjectStore, query: Record<string, string> = {}, namespace?: string): string[] {
  return accepted(list(store, query, namespace)).items.map(({ metadata }) => metadata.name);
}

/** Takes a list page by page, doing something between the pages. */
function inPages(store: ObjectStore, query: Record<string, string>, between: (page: number) => void) {
  const collected: string[] = [];
  const versions = new Set<string>();
  let token = '';
  for (let page = 0; page < 50; page++) {
    const { items, metadata } = accepted(list(store, { ...query, ...(token && { continue: token }) }));
    collected.push(...items.map((object) => `${object.metadata.name}@${object.metadata.resourceVersion}`));
    versions.add(textAt(metadata, 'resourceVersion'));
    token = textAt(metadata, 'continue');
    if (!token) return { collected, versions };
    between(page);
  }
  return assert.fail('the list has no end');
}

describe('a list', () => {
  it('is of one version, the latest', () => {
    const { store } = testStore();
    createPod(store, 'a');
    const { metadata } = accepted(list(store));
    assert.deepEqual(metadata, { resourceVersion: String(store.resourceVersion) });
  });

  it('has what selectors and namespace leave', () => {
    const { store } = testStore();
    createPod(store, 'a', { metadata: { labels: { app: 'web' } }, spec: { nodeName: 'n1' } });
    createPod(store, 'b', { spec: { nodeName: 'n1' } });
    createPod(store, 'c', { metadata: { namespace: 'kube-system', labels: { app: 'web' } } });
    assert.deepEqual(names(store), ['a', 'b', 'c']);
    assert.deepEqual(names(store, {}, 'default'), ['a', 'b']);
    assert.deepEqual(names(store, { labelSelector: 'app=web' }), ['a', 'c']);
    assert.deepEqual(names(store, { fieldSelector: 'spec.nodeName=n1' }), ['a', 'b']);
    assert.deepEqual(names(store, { labelSelector: 'app', fieldSelector: 'spec.nodeName=n1' }), ['a']);
  });

  it('comes in pages that say how many objects remain', () => {
    const { store } = testStore();
    for (const name of ['a', 'b', 'c', 'd', 'e']) createPod(store, name);
    const first = accepted(list(store, { limit: '2' }));
    assert.equal(first.metadata.remainingItemCount, 3);
    const second = accepted(list(store, { limit: '2', continue: textAt(first.metadata, 'continue') }));
    assert.equal(second.metadata.remainingItemCount, 1);
    const third = accepted(list(store, { limit: '2', continue: textAt(second.metadata, 'continue') }));
    assert.deepEqual(third.metadata, { resourceVersion: first.metadata.resourceVersion });
    const all = [first, second, third].flatMap(({ items }) => items.map(({ metadata }) => metadata.name));
    assert.deepEqual(all, ['a', 'b', 'c', 'd', 'e']);
  });

  it('says nothing of what remains where a selector chooses', () => {
    const { store } = testStore();
    for (const name of ['a', 'b', 'c']) createPod(store, name, { metadata: { labels: { app: 'web' } } });
    const { metadata } = accepted(list(store, { limit: '1', labelSelector: 'app=web' }));
    assert.equal(metadata.remainingItemCount, undefined);
    assert.ok(metadata.continue);
  });

  it('needs no second page when the first just holds everything', () => {
    const { store } = testStore();
    for (const name of ['a', 'b']) createPod(store, name);
    assert.equal(accepted(list(store, { limit: '2' })).metadata.continue, undefined);
  });

  it('shows in all its pages the moment of the first, whatever happens meanwhile', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(7), { maxLength: 20 }),
        (limit, victims) => {
          const { store } = testStore();
          for (let i = 0; i < 8; i++) createPod(store, `pod-${i}`);
          const before = store
            .list(pods)
            .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
          const { collected, versions } = inPages(store, { limit: String(limit) }, (page) => {
            const name = `pod-${victims[page] ?? 0}`;
            const stored = store.get(pods, 'default', name);
            if (!stored) createPod(store, name);
            else if (page % 2 === 0) accepted(store.delete(pods, 'default', name));
            else accepted(store.update(pods, changed(stored, { labels: { page: String(page) } })));
            createPod(store, `new-${page}`);
          });
          assert.deepEqual(collected, before);
          assert.equal(versions.size, 1);
        },
      ),
    );
  });

  it('is refused to go on once its moment is forgotten', () => {
    const { store } = testStore();
    for (const name of ['a', 'b', 'c']) createPod(store, name);
    const { metadata } = accepted(list(store, { limit: '1' }));
    store.expireHistory();
    const { message } = refusal(
      list(store, { limit: '1', continue: textAt(metadata, 'continue') }),
      410,
      'Expired',
    );
    assert.match(message ?? '', /start a new list/);
  });

  it('can be had exactly as it was, or not older than a version', () => {
    const { store } = testStore();
    createPod(store, 'a');
    const then = String(store.resourceVersion);
    createPod(store, 'b');
    assert.deepEqual(names(store, { resourceVersion: then, resourceVersionMatch: 'Exact' }), ['a']);
    assert.deepEqual(names(store, { resourceVersion: then, resourceVersionMatch: 'NotOlderThan' }), [
      'a',
      'b',
    ]);
    assert.deepEqual(names(store, { resourceVersion: '0' }), ['a', 'b']);
    const exact = accepted(list(store, { resourceVersion: then, resourceVersionMatch: 'Exact' }));
    assert.equal(exact.metadata.resourceVersion, then);
  });

  it('is refused when the client is ahead of this server', () => {
    const { store } = testStore();
    refusal(list(store, { resourceVersion: String(store.resourceVersion + 1) }), 504, 'Timeout');
  });

  const wrong: Record<string, string>[] = [
    { limit: '-1' },
    { limit: 'x' },
    { limit: '1.5' },
    { continue: 'garbage' },
    { resourceVersion: 'x' },
    { resourceVersion: '-1' },
    { resourceVersion: '1', resourceVersionMatch: 'Nearly' },
    { labelSelector: '=' },
    { fieldSelector: 'spec.color=red' },
    { continue: formatContinueToken({ resourceVersion: 1, after: 'x' }), resourceVersion: '1' },
  ];
  for (const query of wrong) {
    it(`is refused with ${JSON.stringify(query)}`, () => {
      refusal(list(testStore().store, query), 400, 'BadRequest');
    });
  }
});

describe('continue tokens', () => {
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string({ minLength: 1 }), (resourceVersion, after) => {
        const position = { resourceVersion, after };
        assert.deepEqual(accepted(parseContinueToken(formatContinueToken(position))), position);
      }),
    );
  });

  it('are refused when they are anything else', () => {
    const encode = (text: string) => Buffer.from(text).toString('base64url');
    for (const text of [
      '',
      '{}',
      '[]',
      '{"rv":1}',
      '{"rv":"x","after":"a"}',
      '{"rv":1,"after":{}}',
      'null',
    ]) {
      refusal(parseContinueToken(encode(text)), 400, 'BadRequest');
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        refusal(parseContinueToken(text), 400);
      }),
    );
  });
});

describe('resource versions', () => {
  it('are whole numbers, none of them standing for any', () => {
    assert.equal(accepted(parseResourceVersion('')), 0);
    assert.equal(accepted(parseResourceVersion('0')), 0);
    assert.equal(accepted(parseResourceVersion('123')), 123);
    for (const text of ['x', '-1', '1.5', '1e3', ' 1', '0x10', '9'.repeat(30)])
      refusal(parseResourceVersion(text), 400);
  });
});
