import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from './testing/fake-cluster.ts';
import { createFakeStream } from './testing/fake-stream.ts';
import { settle, things } from './testing/watch-harness.ts';
import {
  endedStream,
  isPage,
  isStreamedList,
  isWatch,
  put,
  silentStream,
  started,
} from './testing/watch-steps.ts';

describe('a watch that ends', () => {
  it('at its timeout is opened again at once, from the last bookmark, and was never stale', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a'));
    harness.cluster.put('/api/v1/others', { name: 'moves-the-version-on' });
    harness.cluster.bookmark(things);
    await harness.clock.advance(400_000 - 250_000);
    harness.cluster.endWatches('closed');
    await settle(harness.clock);
    assert.equal(harness.cluster.openWatches, 1);
    assert.equal(harness.cluster.requests.at(-1)?.query.resourceVersion, harness.cluster.resourceVersion);
    await harness.clock.advance(10_000);
    assert.deepEqual(
      harness.listener.statuses.map(({ kind }) => kind),
      ['syncing', 'live'],
    );
    assert.equal(await harness.metric('watchRelists', { reason: 'expired' }), 0);
    await harness.stop();
  });

  it('because the connection broke loses nothing', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a'));
    await harness.clock.advance(60_000);
    harness.cluster.endWatches('lost');
    harness.cluster.delete(things, 'ns', 'a');
    put(harness, 'b');
    await settle(harness.clock);
    assert.deepEqual(harness.listener.take().slice(-2), ['-ns/a@uid-1', '+ns/b@uid-2']);
    assert.deepEqual(
      harness.listener.statuses.map(({ kind }) => kind),
      ['syncing', 'live'],
    );
    await harness.stop();
  });

  it('with 410 as an event lists anew, and tells what is gone', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a', 'b'));
    await harness.clock.advance(60_000);
    harness.listener.take();
    harness.cluster.mangle = () => [];
    harness.cluster.delete(things, 'ns', 'a');
    put(harness, 'c');
    harness.cluster.sendRaw({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
    await harness.clock.advance(1_000);
    assert.deepEqual(harness.listener.take(), ['-ns/a@uid-1', '+ns/c@uid-3']);
    assert.equal(await harness.metric('watchRelists', { reason: 'expired' }), 1);
    assert.equal(await harness.metric('watchEvents', { type: 'ERROR' }), 1);
    await harness.stop();
  });

  it('and is answered 410 when opened again lists anew', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a'));
    await harness.clock.advance(60_000);
    harness.cluster.compact();
    harness.cluster.endWatches('closed');
    await harness.clock.advance(1_000);
    assert.equal(await harness.metric('watchRelists', { reason: 'expired' }), 1);
    assert.deepEqual(
      harness.listener.statuses.map(({ kind }) => kind),
      ['syncing', 'live'],
    );
    await harness.stop();
  });

  it('and whose version the server cannot read any more, three times, lists anew', async () => {
    const harness = await started();
    harness.cluster.intercept = (request) =>
      isWatch(request) ? status(500, '', 'resourceVersion: Invalid value') : undefined;
    harness.cluster.endWatches('closed');
    await harness.clock.advance(5_000);
    harness.cluster.intercept = undefined;
    await harness.clock.advance(15_000);
    assert.equal(harness.watch.status.kind, 'live');
    assert.ok((await harness.metric('watchRelists', { reason: 'refused' })) >= 1);
    await harness.stop();
  });

  it('and may not be opened again for now is not listed anew', async () => {
    for (const code of [403, 429, 503]) {
      const harness = await started();
      harness.cluster.intercept = () => status(code, '', 'not now');
      harness.cluster.endWatches('closed');
      await harness.clock.advance(60_000);
      harness.cluster.intercept = undefined;
      await harness.clock.advance(20_000);
      assert.equal(harness.watch.status.kind, 'live');
      assert.equal(harness.cluster.requests.filter(isStreamedList).length, 1);
      await harness.stop();
    }
  });

  it('keeps what was known while the new list is not complete', async () => {
    const harness = await started({ streamLists: false }, (prepared) => put(prepared, 'a'));
    await harness.clock.advance(60_000);
    harness.cluster.compact();
    harness.cluster.intercept = (request) => (isPage(request) ? { kind: 'hang' } : undefined);
    harness.cluster.endWatches('closed');
    await harness.clock.advance(30_000);
    assert.equal(harness.watch.size, 1);
    assert.equal(harness.watch.status.kind, 'stale');
    harness.cluster.intercept = undefined;
    await harness.clock.advance(60_000);
    assert.equal(harness.watch.status.kind, 'live');
    await harness.stop();
  });

  it('as soon as it was opened, again and again, is not hammered', async () => {
    const harness = await started();
    harness.cluster.intercept = (request) => (isWatch(request) ? endedStream() : undefined);
    harness.cluster.endWatches('closed');
    const before = harness.cluster.requests.length;
    await harness.clock.advance(60_000);
    const asked = harness.cluster.requests.length - before;
    assert.ok(asked >= 5 && asked <= 16, `${asked} requests in a minute`);
    await harness.stop();
  });

  for (const end of ['malformed', 'oversized'] as const) {
    it(`with a line that is ${end} three times at one place lists anew`, async () => {
      const harness = await started({}, (prepared) => put(prepared, 'a'));
      for (let round = 0; round < 3; round += 1) {
        harness.cluster.endWatches(end);
        await harness.clock.advance(2_000);
      }
      assert.equal(await harness.metric('watchRelists', { reason: 'refused' }), 1);
      assert.equal(harness.watch.status.kind, 'live');
      assert.equal(harness.watch.size, 1);
      await harness.stop();
    });
  }
});

describe('a half-open connection', () => {
  it('is given up after three minutes without a byte, and the watch goes on from where it was', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a'));
    harness.cluster.mangle = () => [];
    put(harness, 'b');
    await harness.clock.advance(179_000);
    assert.equal(harness.watch.size, 1);
    harness.cluster.mangle = undefined;
    await harness.clock.advance(2_000);
    assert.equal(harness.watch.size, 2);
    assert.equal(await harness.metric('watchRelists', { reason: 'silent' }), 0);
    assert.deepEqual(
      harness.listener.statuses.map(({ kind }) => kind),
      ['syncing', 'live'],
    );
    await harness.stop();
  });

  it('counts as stale from the last byte when nobody answers afterwards', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a'));
    await harness.clock.advance(50_000);
    harness.cluster.bookmark(things);
    await settle(harness.clock);
    const lastByte = harness.clock.monotonic();
    harness.cluster.intercept = () => ({ kind: 'hang' });
    await harness.clock.advance(183_000);
    assert.deepEqual(harness.watch.status, { kind: 'stale', since: lastByte });
    await harness.stop();
  });

  it('lists anew after two watches that were silent from end to end: etcd may have been restored', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a', 'b'));
    harness.cluster.mangle = () => [];
    harness.cluster.intercept = (request) => (isWatch(request) ? silentStream() : undefined);
    harness.cluster.delete(things, 'ns', 'a');
    await harness.clock.advance(355_000);
    assert.equal(harness.watch.size, 2);
    await harness.clock.advance(10_000);
    assert.equal(await harness.metric('watchRelists', { reason: 'silent' }), 1);
    assert.equal(harness.watch.size, 1);
    await harness.stop();
  });

  it('never grows its waits on quiet watches, however many there were', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a'));
    for (let round = 0; round < 40; round += 1) {
      await harness.clock.advance(150_000);
      harness.cluster.endWatches('closed');
    }
    await settle(harness.clock);
    assert.equal(harness.cluster.openWatches, 1);
    assert.deepEqual(
      harness.listener.statuses.map(({ kind }) => kind),
      ['syncing', 'live'],
    );
    await harness.stop();
  });
});

describe('an API server that is away', () => {
  it('makes the watch stale since it was last heard, and live again when it is back', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a'));
    await harness.clock.advance(30_000);
    harness.cluster.bookmark(things);
    await settle(harness.clock);
    const since = harness.clock.monotonic();
    await harness.clock.advance(10_000);
    harness.cluster.intercept = () => ({ kind: 'unreachable', message: 'connect ECONNREFUSED' });
    harness.cluster.endWatches('lost');
    await settle(harness.clock);
    assert.deepEqual(harness.watch.status, { kind: 'stale', since });
    await harness.clock.advance(20_000);
    assert.ok((await harness.metric('watchStale')) >= 25);
    assert.equal(harness.watch.size, 1);
    harness.cluster.intercept = undefined;
    await harness.clock.advance(15_000);
    assert.equal(harness.watch.status.kind, 'live');
    assert.equal(await harness.metric('watchStale'), 0);
    assert.deepEqual(
      harness.listener.statuses.map(({ kind }) => kind),
      ['syncing', 'live', 'stale', 'live'],
    );
    const lines = harness.log.filter(({ level }) => level === 'warning');
    assert.equal(lines.length, 1);
    assert.match(String(lines[0]?.trouble), /ECONNREFUSED/);
    await harness.stop();
  });

  it('and has forgotten everything when it is back is listed at once, and live only then', async () => {
    const harness = await started({}, (prepared) => put(prepared, 'a'));
    await harness.clock.advance(60_000);
    harness.cluster.intercept = () => ({ kind: 'unreachable', message: 'connect ECONNREFUSED' });
    harness.cluster.endWatches('lost');
    await harness.clock.advance(300_000);
    // As a restarted API server does it: the watch is taken on, and then it has an error.
    harness.cluster.intercept = (request) => {
      if (!isWatch(request)) return undefined;
      harness.cluster.intercept = undefined;
      const stream = createFakeStream();
      stream.send({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
      stream.end('closed');
      return { kind: 'stream', stream };
    };
    const asked = harness.cluster.requests.length;
    while (harness.cluster.requests.length === asked)
      await harness.clock.advance(harness.clock.untilNext ?? 0);
    await settle(harness.clock);
    assert.equal(await harness.metric('watchRelists', { reason: 'expired' }), 1);
    assert.deepEqual(
      harness.listener.statuses.map(({ kind }) => kind),
      ['syncing', 'live', 'stale', 'live'],
    );
    await harness.stop();
  });

  it('is not hammered with lists when it forgets at once what it has just listed', async () => {
    const harness = await started();
    harness.cluster.intercept = (request) =>
      isWatch(request) ? status(410, 'Expired', 'too old') : undefined;
    harness.cluster.endWatches('closed');
    await harness.clock.advance(60_000);
    const lists = harness.cluster.requests.filter(isStreamedList).length;
    assert.ok(lists > 3 && lists < 16, `${lists} lists in a minute`);
    await harness.stop();
  });

  it('is asked less and less often, at most every 15 seconds, and at once after a good watch', async () => {
    const harness = await started();
    harness.cluster.intercept = () => ({ kind: 'unreachable', message: 'connect ECONNREFUSED' });
    harness.cluster.endWatches('lost');
    await harness.clock.advance(60_000);
    const before = harness.cluster.requests.length;
    await harness.clock.advance(150_000);
    const asked = harness.cluster.requests.length - before;
    assert.ok(asked >= 10 && asked <= 21, `${asked} requests in 150 s`);
    harness.cluster.intercept = undefined;
    await harness.clock.advance(15_000);
    await harness.clock.advance(30_000);
    const last = harness.cluster.requests.length;
    let failures = 1;
    harness.cluster.intercept = () => {
      failures -= 1;
      return failures < 0 ? undefined : { kind: 'unreachable', message: 'once' };
    };
    harness.cluster.endWatches('lost');
    await settle(harness.clock);
    assert.equal(harness.cluster.requests.length, last + 1);
    // The wait has not stayed as long as it was when the server was away.
    await harness.clock.advance(250);
    assert.equal(harness.cluster.requests.length, last + 2);
    await harness.clock.advance(1_000);
    assert.equal(harness.watch.status.kind, 'live');
    await harness.stop();
  });
});

describe('an expired token', () => {
  it('is read again and the watch opened at once: that is no loss of contact', async () => {
    const harness = await started();
    await harness.clock.advance(60_000);
    let refusals = 0;
    harness.cluster.intercept = () => {
      if (refusals > 0) return undefined;
      refusals += 1;
      return status(401, 'Unauthorized', 'Unauthorized');
    };
    harness.cluster.endWatches('closed');
    await settle(harness.clock);
    assert.equal(harness.cluster.openWatches, 1);
    assert.deepEqual(
      harness.listener.statuses.map(({ kind }) => kind),
      ['syncing', 'live'],
    );
    await harness.stop();
  });

  it('that stays refused is stale, and tried with growing waits', async () => {
    const harness = await started();
    await harness.clock.advance(60_000);
    harness.cluster.intercept = () => status(401, 'Unauthorized', 'Unauthorized');
    harness.cluster.endWatches('closed');
    const before = harness.cluster.requests.length;
    await harness.clock.advance(60_000);
    assert.equal(harness.watch.status.kind, 'stale');
    assert.ok(harness.cluster.requests.length - before < 16);
    await harness.stop();
  });
});
