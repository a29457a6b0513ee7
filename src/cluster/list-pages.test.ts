import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClusterConnection, JsonOutcome, JsonRequest } from './connection.ts';
import { listPages } from './list-pages.ts';

/** Answers one request after another with what the script has. */
function scripted(script: readonly JsonOutcome[]) {
  const requests: JsonRequest[] = [];
  const connection: ClusterConnection = {
    server: 'https://k8s.test',
    async requestJson(request) {
      requests.push(request);
      return script[requests.length - 1] ?? { kind: 'unreachable', message: 'the script is over' };
    },
    openStream: () => Promise.reject(new Error('no streams here')),
    close() {},
  };
  return { connection, requests };
}

function page(items: unknown, metadata: object): JsonOutcome {
  return { kind: 'ok', status: 200, body: { items, metadata } };
}

async function list(script: readonly JsonOutcome[]) {
  const { connection, requests } = scripted(script);
  let objects: unknown[] = [];
  const outcome = await listPages({
    connection,
    path: '/api/v1/pods',
    pageMillis: 1_000,
    signal: new AbortController().signal,
    onObject: (raw) => objects.push(raw),
    onRestart: () => {
      objects = [];
    },
  });
  return { outcome, objects, requests, queries: requests.map(({ query }) => query) };
}

const expired: JsonOutcome = { kind: 'status', status: 410, reason: 'Expired', message: 'token expired' };

describe('a list by pages', () => {
  it('follows the continue token and has the version of the list', async () => {
    const { outcome, objects, queries } = await list([
      page([1, 2], { resourceVersion: '9', continue: 'next' }),
      page([3], { resourceVersion: '9' }),
    ]);
    assert.deepEqual(outcome, { kind: 'complete', resourceVersion: '9' });
    assert.deepEqual(objects, [1, 2, 3]);
    assert.deepEqual(
      queries.map((query) => query?.continue),
      [undefined, 'next'],
    );
  });

  it('takes Go’s null for no items', async () => {
    assert.equal((await list([page(null, { resourceVersion: '9' })])).outcome.kind, 'complete');
  });

  it('starts over when the token has expired, at most three times', async () => {
    const first = page([1], { resourceVersion: '9', continue: 'next' });
    const { outcome, objects } = await list([first, expired, page([2], { resourceVersion: '12' })]);
    assert.deepEqual(outcome, { kind: 'complete', resourceVersion: '12' });
    assert.deepEqual(objects, [2]);
    const endless = await list([first, expired, first, expired, first, expired, first, expired]);
    assert.deepEqual(endless.outcome, expired);
    assert.equal(endless.requests.length, 8);
  });

  it('gives a 410 of the first page back', async () => {
    const { outcome, requests } = await list([expired]);
    assert.deepEqual(outcome, expired);
    assert.equal(requests.length, 1);
  });

  it('asks for smaller pages when one is too large, down to single objects, and keeps to them', async () => {
    const large: JsonOutcome = { kind: 'oversized', message: 'too large' };
    const { outcome, queries } = await list([
      page([1], { resourceVersion: '9', continue: 'next' }),
      large,
      page([2], { resourceVersion: '9', continue: 'more' }),
      large,
      large,
      large,
    ]);
    assert.deepEqual(
      queries.map((query) => query?.limit),
      [100, 100, 25, 25, 6, 1],
    );
    assert.deepEqual(
      queries.map((query) => query?.continue),
      [undefined, 'next', 'next', 'more', 'more', 'more'],
    );
    assert.deepEqual(outcome, large);
  });

  it('gives any other failure back as it is', async () => {
    for (const failure of [
      { kind: 'status', status: 403, reason: 'Forbidden', message: 'no' },
      { kind: 'unreachable', message: 'away' },
    ] as const) {
      assert.deepEqual((await list([failure])).outcome, failure);
    }
  });

  const odd: [string, JsonOutcome[]][] = [
    ['no items', [page(undefined, { resourceVersion: '9' })]],
    ['items that are no list', [page({}, { resourceVersion: '9' })]],
    ['no version', [page([], {})]],
    ['no object', [{ kind: 'ok', status: 200, body: 'hello' }]],
    [
      'a token that leads to itself',
      [page([], { resourceVersion: '9', continue: 'a' }), page([], { resourceVersion: '9', continue: 'a' })],
    ],
  ];
  for (const [what, script] of odd) {
    it(`takes an answer with ${what} for no list`, async () => {
      const { outcome } = await list(script);
      assert.equal(outcome.kind, 'unreachable');
      assert.match(
        outcome.kind === 'unreachable' ? outcome.message : '',
        /\/api\/v1\/pods with something that is not a list/,
      );
    });
  }
});
