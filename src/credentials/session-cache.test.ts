import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionState } from './session.ts';
import { createCacheHarness, identityOf } from './testing/cache-harness.ts';
import { createCredentials, type Scripted } from './testing/scripted-backend.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

const denied: Scripted = { kind: 'refused', code: 'AccessDenied', message: 'not authorized' };
const throttled: Scripted = { kind: 'throttled', code: 'Throttling', message: 'Rate exceeded' };
const away: Scripted = { kind: 'unavailable', code: 'NetworkError', message: 'ECONNREFUSED' };

function kinds(states: readonly SessionState[]): string[] {
  return states.map((state) =>
    state.kind === 'issued' && state.problem ? 'issued with problem' : state.kind,
  );
}

describe('the end of the last lease', () => {
  it('keeps the session warm for a minute', async () => {
    const { clock, backend, acquire } = createCacheHarness();
    const first = acquire(identityOf(1));
    await clock.advance(second);
    first.release();
    await clock.advance(59 * second);
    const again = acquire(identityOf(1));
    assert.equal(again.state.kind, 'issued');
    assert.equal(backend.calls.length, 1);
  });

  it('does not refresh the session in that minute, and does so when it is wanted again', async () => {
    const { clock, backend, acquire } = createCacheHarness();
    const first = acquire(identityOf(1));
    await clock.advance(23 * minute + 30 * second);
    first.release();
    await clock.advance(50 * second);
    const callsBefore = backend.calls.length;
    const again = acquire(identityOf(1));
    assert.equal(again.state.kind, 'issued');
    await clock.advance(10 * minute);
    assert.ok(
      callsBefore === 1 && backend.calls.length === 2,
      `${callsBefore}, ${backend.calls.length} calls`,
    );
  });

  it('forgets the session afterwards, with its timers', async () => {
    const { clock, backend, cache, acquire, metric } = createCacheHarness();
    const lease = acquire(identityOf(1));
    await clock.advance(second);
    assert.equal(await metric('kiam_sts_cacheSize'), 1);
    lease.release();
    lease.release();
    await clock.advance(minute);
    assert.equal(await metric('kiam_sts_cacheSize'), 0);
    // What is left is the watch over the clock.
    assert.equal(clock.pending, 1);
    assert.equal(acquire(identityOf(1)).state.kind, 'pending');
    assert.equal(backend.calls.length, 2);
    cache.close();
    await clock.advance(0);
    assert.equal(clock.pending, 0);
  });

  it('refreshes no session that nobody wants', async () => {
    const { clock, backend, acquire } = createCacheHarness();
    acquire(identityOf(1)).release();
    await clock.advance(5 * hour);
    assert.equal(backend.calls.length, 1);
  });

  it('does not begin a fetch that still waits in the queue', async () => {
    const { clock, backend, acquire } = createCacheHarness({ cache: { burst: 1, callsPerSecond: 1 } });
    const leases = Array.from({ length: 10 }, (_, number) => acquire(identityOf(number)));
    for (const lease of leases) lease.release();
    await clock.advance(30 * second);
    assert.equal(backend.calls.length, 1);
    const again = acquire(identityOf(5));
    await clock.advance(2 * second);
    assert.equal(again.state.kind, 'issued');
  });

  it('waits for a call under way, so that an identity never has two', async () => {
    const { clock, backend, acquire, metric } = createCacheHarness({
      latencyMillis: () => 5 * second,
      cache: { lingerMillis: 0 },
    });
    acquire(identityOf(1)).release();
    await clock.advance(second);
    acquire(identityOf(1)).release();
    await clock.advance(second);
    assert.equal(backend.calls.length, 1);
    await clock.advance(5 * second);
    assert.equal(await metric('kiam_sts_cacheSize'), 0);
    assert.equal(backend.mostPerIdentity, 1);
  });

  it('is not the end when somebody comes while the last call is under way', async () => {
    const { clock, acquire } = createCacheHarness({
      latencyMillis: () => 5 * second,
      cache: { lingerMillis: 0 },
    });
    acquire(identityOf(1)).release();
    await clock.advance(second);
    const lease = acquire(identityOf(1));
    await clock.advance(hour);
    assert.deepEqual(kinds(lease.told).slice(0, 3), ['issued', 'issued', 'issued']);
  });

  it('tells nothing to a listener that has been released', async () => {
    const { clock, acquire } = createCacheHarness();
    const stays = acquire(identityOf(1));
    const goes = acquire(identityOf(1));
    await clock.advance(second);
    goes.release();
    await clock.advance(hour);
    assert.equal(goes.told.length, 1);
    assert.ok(stays.told.length >= 3);
  });
});

describe('the budget', () => {
  it('holds for a cold start of 2,000 identities, which are pending meanwhile', async () => {
    const { clock, backend, acquire } = createCacheHarness();
    const leases = Array.from({ length: 2_000 }, (_, number) => acquire(identityOf(number)));
    await clock.advance(10 * second);
    const begun = backend.calls.length;
    assert.ok(begun >= 590 && begun <= 601, `${begun} calls in ten seconds`);
    assert.equal(leases.filter(({ state }) => state.kind === 'pending').length > 1_390, true);
    await clock.advance(30 * second);
    assert.ok(leases.every(({ state }) => state.kind === 'issued'));
    assert.equal(backend.calls.length, 2_000);
  });

  it('is each account’s own', async () => {
    const { clock, backend, acquire } = createCacheHarness({ cache: { burst: 1, callsPerSecond: 1 } });
    for (const account of ['111111111111', '222222222222', '333333333333']) acquire(identityOf(1, account));
    await clock.advance(100);
    assert.equal(backend.calls.length, 3);
  });

  it('shrinks while STS throttles, and the storm ends with everybody served', async () => {
    let storm = true;
    const { clock, backend, acquire } = createCacheHarness({ answer: () => (storm ? throttled : 'issue') });
    const leases = Array.from({ length: 1_000 }, (_, number) => acquire(identityOf(number)));
    await clock.advance(10 * minute);
    const calls = backend.calls.filter(({ at }) => at > minute).length;
    assert.ok(calls < 9 * 60 * 4, `${calls} calls in nine minutes of storm`);
    assert.ok(calls > 9 * 60, `${calls} calls in nine minutes of storm`);
    storm = false;
    await clock.advance(3 * minute);
    assert.ok(leases.every(({ state }) => state.kind === 'issued'));
    assert.equal(backend.mostPerIdentity, 1);
  });

  it('gives first fetches the way before refreshes', async () => {
    const { clock, backend, acquire } = createCacheHarness({
      cache: { burst: 1, callsPerSecond: 1 },
      latencyMillis: () => 0,
    });
    const old = Array.from({ length: 300 }, (_, number) => acquire(identityOf(number)));
    await clock.advance(25 * minute);
    // Refreshes of the first hundreds fill the queue faster than it empties.
    await clock.advance(60 * second);
    const before = backend.calls.length;
    const fresh = acquire(identityOf(1_000));
    await clock.advance(2 * second);
    assert.equal(fresh.state.kind, 'issued');
    assert.ok(backend.calls.length - before <= 2);
    assert.ok(old.every(({ state }) => state.kind === 'issued'));
  });

  it('does not starve a refresh by first fetches that never end', async () => {
    const { clock, acquire } = createCacheHarness({
      cache: { burst: 1, callsPerSecond: 1 },
      sessionMillis: 15 * minute,
    });
    const old = acquire(identityOf(0));
    await clock.advance(minute);
    for (let number = 1; number < 1_200; number += 1) {
      acquire(identityOf(number, '123456789012'));
      if (number > 60) await clock.advance(second);
      assert.equal(old.state.kind, 'issued', `after ${number} others`);
    }
  });

  it('bounds the calls under way when STS hangs', async () => {
    const { clock, backend, acquire } = createCacheHarness({
      answer: () => 'hang',
      cache: { maxConcurrent: 8 },
    });
    for (let number = 0; number < 100; number += 1) acquire(identityOf(number));
    await clock.advance(minute);
    assert.equal(backend.mostInFlight, 8);
  });
});

describe('close', () => {
  it('cancels the calls under way and tells nobody any more', async () => {
    const { clock, backend, cache, acquire, metric } = createCacheHarness();
    const lease = acquire(identityOf(1));
    await clock.advance(50);
    cache.close();
    await clock.advance(hour);
    assert.equal(backend.inFlight, 0);
    assert.deepEqual(lease.told, []);
    assert.equal(clock.pending, 0);
    assert.equal(await metric('kiam_sts_assumerole_current'), 0);
    assert.equal(await metric('kiam_sts_issuing_errors_total'), 0);
  });

  it('leaves leases that can still be read and released', async () => {
    const { clock, cache, acquire } = createCacheHarness();
    const lease = acquire(identityOf(1));
    await clock.advance(second);
    cache.close();
    assert.equal(lease.state.kind, 'issued');
    lease.release();
    assert.equal(clock.pending, 0);
  });

  it('makes later leases pending for good', async () => {
    const { clock, backend, cache, acquire } = createCacheHarness();
    cache.close();
    const lease = acquire(identityOf(1));
    await clock.advance(hour);
    assert.equal(lease.state.kind, 'pending');
    assert.equal(backend.calls.length, 0);
    lease.release();
    assert.equal(clock.pending, 0);
  });
});

describe('metrics', () => {
  it('count calls by outcome, errors, hits and misses', async () => {
    const script: Scripted[] = [throttled, away, denied, 'issue'];
    const { clock, acquire, metric } = createCacheHarness({ answer: (_, call) => script[call] ?? 'issue' });
    acquire(identityOf(1));
    await clock.advance(minute);
    acquire(identityOf(1));
    for (const outcome of ['throttled', 'unavailable', 'refused', 'issued']) {
      assert.equal(await metric('podpass_sts_calls_total', { outcome }), 1, outcome);
    }
    assert.equal(await metric('kiam_sts_issuing_errors_total'), 3);
    assert.equal(await metric('kiam_sts_cache_hit_total'), 1);
    assert.equal(await metric('kiam_sts_cache_miss_total'), 1);
    assert.equal(await metric('kiam_sts_cacheSize'), 1);
  });

  it('show the calls under way and how long they took', async () => {
    const { clock, acquire, metric } = createCacheHarness({ latencyMillis: () => 200 });
    acquire(identityOf(1));
    acquire(identityOf(2));
    await clock.advance(100);
    assert.equal(await metric('kiam_sts_assumerole_current'), 2);
    await clock.advance(100);
    assert.equal(await metric('kiam_sts_assumerole_current'), 0);
    assert.equal(await metric('kiam_sts_assumerole_timing_seconds', { le: '0.128' }), 0);
    assert.equal(await metric('kiam_sts_assumerole_timing_seconds', { le: '0.256' }), 2);
  });
});

describe('the log', () => {
  it('has one line for each issuance, with role, session name and expiration', async () => {
    const { clock, acquire, lines } = createCacheHarness();
    acquire(identityOf(1));
    await clock.advance(30 * minute);
    assert.equal(lines.length, 2);
    assert.deepEqual(lines[0], {
      level: 'info',
      time: '2026-01-01T00:00:00.100Z',
      'credentials.role': 'arn:aws:iam::123456789012:role/role-1',
      'credentials.session-name': 'kiam-kiam',
      'credentials.expiration': '2026-01-01T01:00:00.100Z',
      msg: 'requested new credentials',
    });
  });

  it('has one line for each distinct problem, however often it comes back', async () => {
    const { clock, backend, acquire, lines } = createCacheHarness({
      answer: (_, call) => (call < 20 ? away : denied),
    });
    acquire(identityOf(1));
    await clock.advance(hour);
    assert.ok(backend.calls.length > 20);
    assert.deepEqual(
      lines.map((line) => [line.level, line.msg, line['sts.outcome'], line['sts.code'], line['sts.message']]),
      [
        ['warning', 'error requesting credentials', 'unavailable', 'NetworkError', 'ECONNREFUSED'],
        ['warning', 'error requesting credentials', 'refused', 'AccessDenied', 'not authorized'],
      ],
    );
  });

  it('never has a secret, an external id or a session token; the access key id at debug only', async () => {
    for (const level of ['info', 'debug'] as const) {
      const { clock, acquire, lines } = createCacheHarness({
        level,
        answer: (_, call) => (call % 3 === 2 ? denied : 'issue'),
      });
      acquire({ ...identityOf(1), externalId: 'the-external-id' });
      await clock.advance(5 * hour);
      const text = JSON.stringify(lines);
      const { secretAccessKey, sessionToken } = createCredentials('AKIA0', 0, 0);
      for (const secret of [secretAccessKey, sessionToken, 'the-external-id'])
        assert.ok(!text.includes(secret));
      assert.equal(text.includes('AKIA0'), level === 'debug');
    }
  });
});
