import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from './testing/fake-cluster.ts';
import { createWatchHarness, settle, things, type WatchHarness } from './testing/watch-harness.ts';
import { isPage, isStreamedList, put, started } from './testing/watch-steps.ts';

describe('a reflector that starts', () => {
  it('is syncing, then tells all that exists, then is live', async () => {
    const harness = createWatchHarness();
    put(harness, 'a', 'b');
    assert.deepEqual(harness.watch.status, { kind: 'syncing' });
    assert.equal(await harness.metric('watchSynced'), 0);
    await harness.start();
    assert.deepEqual(harness.listener.take(), ['=syncing', '+ns/a@uid-1', '+ns/b@uid-2', '=live']);
    assert.equal(harness.watch.size, 2);
    assert.equal(harness.watch.get('uid-1')?.name, 'a');
    assert.equal(harness.watch.getByName('ns', 'b')?.uid, 'uid-2');
    assert.equal(await harness.metric('watchSynced'), 1);
    assert.equal(await harness.metric('watchObjects'), 2);
    assert.equal(await harness.metric('watchRelists', { reason: 'start' }), 1);
    await harness.stop();
  });

  it('asks for a streamed list, then watches from its end with bookmarks and a random timeout of 5 to 10 minutes', async () => {
    const harness = await started();
    const [list, watch] = harness.cluster.requests;
    assert.deepEqual(list?.query, {
      watch: 'true',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
    });
    assert.equal(watch?.query.resourceVersion, harness.cluster.resourceVersion);
    assert.equal(watch?.query.allowWatchBookmarks, 'true');
    const seconds = Number(watch?.query.timeoutSeconds);
    assert.ok(seconds >= 300 && seconds <= 600, String(seconds));
    await harness.stop();
  });

  it('passes the field selector on, to lists and watches', async () => {
    for (const streamLists of [true, false]) {
      const harness = await started({ streamLists, fieldSelector: 'spec.nodeName=n1' });
      assert.equal(harness.cluster.requests.length, 2);
      for (const { query } of harness.cluster.requests) assert.equal(query.fieldSelector, 'spec.nodeName=n1');
      await harness.stop();
    }
  });

  it('follows changes, deletions included', async () => {
    const harness = await started();
    harness.listener.take();
    put(harness, 'a', 'b', 'a');
    harness.cluster.delete(things, 'ns', 'b');
    await settle(harness.clock);
    assert.deepEqual(harness.listener.take(), ['+ns/a@uid-1', '+ns/b@uid-2', '~ns/a@uid-1', '-ns/b@uid-2']);
    assert.equal(await harness.metric('watchEvents', { type: 'ADDED' }), 2);
    assert.equal(await harness.metric('watchEvents', { type: 'MODIFIED' }), 1);
    assert.equal(await harness.metric('watchEvents', { type: 'DELETED' }), 1);
    assert.equal(await harness.metric('watchObjects'), 1);
    await harness.stop();
  });

  it('stays syncing and says why, once a minute, while it cannot list', async () => {
    const harness = await started({}, ({ cluster }) => {
      cluster.intercept = () => status(403, 'Forbidden', 'may not list things');
    });
    await harness.clock.advance(59_000);
    const warnings = harness.log.filter(({ level }) => level === 'warning');
    assert.equal(warnings.length, 1);
    assert.match(String(warnings[0]?.trouble), /403 Forbidden: may not list things/);
    assert.equal(harness.watch.status.kind, 'syncing');
    harness.cluster.intercept = undefined;
    await harness.clock.advance(20_000);
    assert.equal(harness.watch.status.kind, 'live');
    // Forbidden says nothing about streamed lists: it still asks for one.
    assert.ok(harness.cluster.requests.every((request) => !isPage(request)));
    await harness.stop();
  });

  it('says how far it has come, and which change was the last', async () => {
    const { clock, cluster, watch, start, stop } = createWatchHarness();
    assert.deepEqual(watch.position, { known: undefined, changed: undefined });
    cluster.put(things, { name: 'a' });
    const { metadata } = cluster.put(things, { name: 'b' });
    cluster.put('/api/v1/others', { name: 'c' });
    await start();
    assert.deepEqual(watch.position, { known: cluster.resourceVersion, changed: metadata.resourceVersion });
    cluster.put('/api/v1/others', { name: 'd' });
    cluster.bookmark(things);
    await clock.advance(0);
    assert.deepEqual(watch.position, { known: cluster.resourceVersion, changed: metadata.resourceVersion });
    cluster.delete(things, '', 'a');
    await clock.advance(0);
    assert.deepEqual(watch.position, { known: cluster.resourceVersion, changed: cluster.resourceVersion });
    await stop();
  });

  it('refuses to run twice at a time', async () => {
    const harness = await started();
    await assert.rejects(harness.watch.run(new AbortController().signal), { code: 'ERR_INTERNAL' });
    await harness.stop();
  });
});

describe('streamed lists that are refused', () => {
  const cases = [
    { how: 'with 422 Invalid', options: { listStreaming: 'invalid' } as const },
    {
      how: 'with an ERROR event of code 500, as on an old etcd',
      options: { listStreaming: 'error-event' } as const,
    },
    {
      how: 'by silence, because the server does not know the question',
      options: { listStreaming: 'ignore' } as const,
    },
  ];
  for (const { how, options } of cases) {
    it(`${how}: lists by pages, and never asks again`, async () => {
      const harness = await started(options, (prepared) => put(prepared, 'a', 'b'));
      await harness.clock.advance(31_000);
      assert.deepEqual(harness.listener.take(), ['=syncing', '+ns/a@uid-1', '+ns/b@uid-2', '=live']);
      harness.cluster.compact();
      harness.cluster.endWatches('closed');
      await harness.clock.advance(5_000);
      assert.equal(harness.watch.status.kind, 'live');
      assert.equal(harness.cluster.requests.filter(isStreamedList).length, 1);
      assert.equal(harness.cluster.requests.filter(isPage).length, 2);
      assert.equal(harness.log.filter(({ msg }) => msg.includes('does not stream lists')).length, 1);
      await harness.stop();
    });
  }

  it('by ending them too early, three times running: lists by pages', async () => {
    const harness = await started({ listStreaming: 'ignore' });
    for (let round = 0; round < 3; round += 1) {
      assert.ok(harness.cluster.requests.every((request) => !isPage(request)));
      harness.cluster.endWatches('closed');
      await harness.clock.advance(1_000);
    }
    assert.equal(harness.watch.status.kind, 'live');
    assert.equal(harness.cluster.requests.filter(isPage).length, 1);
    await harness.stop();
  });

  it('keeps asking for them after an overload (429), as patiently as the server asks', async () => {
    const harness = await started({}, ({ cluster }) => {
      cluster.intercept = () => ({
        kind: 'json',
        status: 429,
        body: { reason: 'TooManyRequests' },
        retryAfter: '7',
      });
    });
    harness.cluster.intercept = undefined;
    await harness.clock.advance(6_900);
    assert.equal(harness.cluster.requests.length, 1);
    await harness.clock.advance(200);
    assert.equal(harness.watch.status.kind, 'live');
    assert.equal(harness.cluster.requests.filter(isStreamedList).length, 2);
    await harness.stop();
  });

  it('leaves out what came and went while the list was streamed', async () => {
    const harness = await started({ listStreaming: 'ignore' }, (prepared) => put(prepared, 'a', 'b'));
    harness.cluster.delete(things, 'ns', 'a');
    put(harness, 'b');
    harness.cluster.sendRaw({
      type: 'BOOKMARK',
      object: {
        metadata: {
          resourceVersion: harness.cluster.resourceVersion,
          annotations: { 'k8s.io/initial-events-end': 'true' },
        },
      },
    });
    await settle(harness.clock);
    assert.deepEqual(harness.listener.take(), ['=syncing', '+ns/b@uid-2', '=live']);
    await harness.stop();
  });
});

describe('lists by pages', () => {
  it('read every page', async () => {
    const harness = await started({ streamLists: false, maxPage: 2 }, (prepared) =>
      put(prepared, 'a', 'b', 'c', 'd', 'e'),
    );
    assert.equal(harness.watch.size, 5);
    const pages = harness.cluster.requests.filter(isPage);
    assert.deepEqual(
      pages.map(({ query }) => query.limit),
      ['100', '100', '100'],
    );
    assert.equal(pages[0]?.query.resourceVersion, undefined);
    await harness.stop();
  });

  it('start over when the continue token has expired, without what was deleted in between', async () => {
    const harness = createWatchHarness({ streamLists: false, maxPage: 2 });
    put(harness, 'a', 'b', 'c', 'd');
    let pages = 0;
    harness.cluster.intercept = () => {
      pages += 1;
      if (pages === 2) {
        harness.cluster.delete(things, 'ns', 'a');
        harness.cluster.compact();
      }
      return undefined;
    };
    await harness.start();
    assert.deepEqual(harness.listener.take(), [
      '=syncing',
      '+ns/b@uid-2',
      '+ns/c@uid-3',
      '+ns/d@uid-4',
      '=live',
    ]);
    assert.equal(pages, 5);
    await harness.stop();
  });
});

describe('odd events', () => {
  it('that are repeated are told once', async () => {
    const harness = await started();
    harness.listener.take();
    harness.cluster.mangle = (lines) => [...lines, ...lines, ...lines];
    put(harness, 'a', 'a');
    harness.cluster.delete(things, 'ns', 'a');
    await settle(harness.clock);
    assert.deepEqual(harness.listener.take(), ['+ns/a@uid-1', '~ns/a@uid-1', '-ns/a@uid-1']);
    await harness.stop();
  });

  it('that come late change nothing', async () => {
    const harness = await started();
    harness.listener.take();
    const sent: unknown[] = [];
    harness.cluster.mangle = (lines) => {
      sent.push(...lines);
      return [];
    };
    put(harness, 'a', 'a');
    harness.cluster.delete(things, 'ns', 'a');
    put(harness, 'a');
    for (const line of sent.toReversed()) harness.cluster.sendRaw(line);
    await settle(harness.clock);
    assert.deepEqual(harness.listener.take(), ['+ns/a@uid-2']);
    await harness.stop();
  });

  it('of an object that was deleted and made anew under its name tell the removal first, even if the watch did not', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a'));
    harness.listener.take();
    harness.cluster.mangle = () => [];
    harness.cluster.delete(things, 'ns', 'a');
    harness.cluster.mangle = undefined;
    put(harness, 'a');
    await settle(harness.clock);
    assert.deepEqual(harness.listener.take(), ['-ns/a@uid-1', '+ns/a@uid-2']);
    assert.equal(harness.watch.get('uid-1'), undefined);
    assert.equal(harness.watch.getByName('ns', 'a')?.uid, 'uid-2');
    await harness.stop();
  });

  it('whose object lacks what every object has are counted, logged once a minute and skipped', async () => {
    const harness = await started();
    harness.listener.take();
    const bad = [
      { metadata: { name: 'x' } },
      {},
      null,
      'text',
      { metadata: { uid: 1, name: 'y', resourceVersion: '5' } },
    ];
    for (const object of bad) harness.cluster.sendRaw({ type: 'ADDED', object });
    harness.cluster.sendRaw({ type: 'DELETED', object: {} });
    put(harness, 'a');
    await settle(harness.clock);
    assert.deepEqual(harness.listener.take(), ['+ns/a@uid-1']);
    assert.equal(await harness.metric('watchObjectsInvalid'), bad.length + 1);
    assert.equal(harness.log.filter(({ msg }) => msg === 'skipped an object of the API').length, 1);
    await harness.stop();
  });

  it('that a projection fails on are skipped as well', async () => {
    const harness = await started({
      project: () => {
        throw new Error('a defect');
      },
    });
    put(harness, 'a');
    await settle(harness.clock);
    assert.equal(harness.watch.size, 0);
    assert.equal(harness.watch.status.kind, 'live');
    assert.equal(await harness.metric('watchObjectsInvalid'), 1);
    await harness.stop();
  });

  it('of no known type are counted and passed over', async () => {
    const harness = await started();
    for (const line of [{ type: 'NEWS' }, 5, null, [], {}]) harness.cluster.sendRaw(line);
    put(harness, 'a');
    await settle(harness.clock);
    assert.equal(harness.watch.size, 1);
    assert.equal(await harness.metric('watchEvents', { type: 'UNKNOWN' }), 5);
    await harness.stop();
  });

  it('do not move the watch back to an older version', async () => {
    const harness = await started();
    put(harness, 'a', 'b');
    const newest = harness.cluster.resourceVersion;
    harness.cluster.sendRaw({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '3' } } });
    await harness.clock.advance(60_000);
    harness.cluster.endWatches('closed');
    await settle(harness.clock);
    assert.equal(harness.cluster.requests.at(-1)?.query.resourceVersion, newest);
    await harness.stop();
  });
});

describe('listeners', () => {
  it('that throw are reported and stop neither the watch nor the others', async () => {
    const harness = createWatchHarness();
    harness.watch.subscribe({
      upsert: () => {
        throw new Error('a listener broke');
      },
      remove: () => {},
      status: () => {},
    });
    put(harness, 'a');
    await harness.start();
    put(harness, 'b');
    await settle(harness.clock);
    assert.equal(harness.listener.held.size, 2);
    assert.equal(harness.log.filter(({ error }) => error === 'a listener broke').length, 2);
    await harness.stop();
  });

  it('that come late are told of all that is held, then of the status', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a', 'b'));
    const calls: string[] = [];
    const unsubscribe = harness.watch.subscribe({
      upsert: ({ name }, previous) => calls.push(`+${name}${previous ? '!' : ''}`),
      remove: ({ name }) => calls.push(`-${name}`),
      status: ({ kind }) => calls.push(kind),
    });
    assert.deepEqual(calls, ['+a', '+b', 'live']);
    unsubscribe();
    put(harness, 'c');
    await settle(harness.clock);
    assert.deepEqual(calls, ['+a', '+b', 'live']);
    await harness.stop();
  });
});

describe('a reflector that is stopped', () => {
  const moments = {
    'while a list hangs': (harness: WatchHarness) => {
      harness.cluster.intercept = () => ({ kind: 'hang' });
    },
    'while it waits to try again': (harness: WatchHarness) => {
      harness.cluster.intercept = () => ({ kind: 'unreachable', message: 'away' });
    },
    'while it watches': () => {},
  };
  for (const [moment, prepare] of Object.entries(moments)) {
    it(`${moment} ends at once and leaves no timer`, async () => {
      const harness = createWatchHarness();
      prepare(harness);
      await harness.start();
      await harness.stop();
      assert.equal(harness.clock.pending, 0);
    });
  }
});
