import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionState } from './session.ts';
import { createCacheHarness, identityOf } from './testing/cache-harness.ts';
import type { Scripted } from './testing/scripted-backend.ts';

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

describe('a first fetch', () => {
  it('is pending until STS answers, then issued', async () => {
    const { clock, acquire } = createCacheHarness();
    const lease = acquire(identityOf(1));
    assert.deepEqual(lease.state, { kind: 'pending' });
    await clock.advance(99);
    assert.deepEqual(lease.state, { kind: 'pending' });
    await clock.advance(1);
    assert.equal(lease.state.kind, 'issued');
    assert.deepEqual(lease.told, [lease.state]);
  });

  it('is one call for 1,000 that acquire at once, and all are told', async () => {
    const { clock, backend, acquire } = createCacheHarness();
    const leases = Array.from({ length: 1_000 }, () => acquire(identityOf(1)));
    await clock.advance(second);
    assert.equal(backend.calls.length, 1);
    for (const lease of leases) assert.deepEqual(kinds(lease.told), ['issued']);
  });

  it('tells a listener that was given twice both times', async () => {
    const { clock, cache } = createCacheHarness();
    let told = 0;
    const listener = () => {
      told += 1;
    };
    cache.acquire(identityOf(1), listener);
    cache.acquire(identityOf(1), listener).release();
    cache.acquire(identityOf(1), listener);
    await clock.advance(second);
    assert.equal(told, 2);
  });

  it('goes on when the first who asked goes away', async () => {
    const { clock, backend, acquire } = createCacheHarness();
    const first = acquire(identityOf(1));
    const other = acquire(identityOf(1));
    await clock.advance(50);
    first.release();
    await clock.advance(50);
    assert.equal(other.state.kind, 'issued');
    assert.deepEqual(first.told, []);
    assert.equal(backend.calls.length, 1);
  });

  it('never tells a listener before acquire has returned', async () => {
    const { clock, cache } = createCacheHarness({ cache: { lingerMillis: 2 * hour } });
    cache.acquire(identityOf(1), () => {}).release();
    await clock.advance(second);
    // Expired while it lingered and no timer has looked yet: the state changes within acquire.
    clock.step(3 * hour);
    let returned = false;
    const lease = cache.acquire(identityOf(1), () => assert.ok(returned));
    assert.equal(lease.state.kind, 'pending');
    returned = true;
    await clock.advance(second);
  });

  it('is a call for each external id, session name and role', async () => {
    const { clock, backend, acquire } = createCacheHarness();
    const { roleArn, sessionName } = identityOf(1);
    acquire({ roleArn, sessionName });
    acquire({ roleArn, sessionName, externalId: 'one' });
    acquire({ roleArn, sessionName, externalId: 'two' });
    acquire({ roleArn, sessionName: 'kiam-other' });
    acquire(identityOf(2));
    await clock.advance(second);
    assert.equal(backend.calls.length, 5);
  });

  it('ends after 10 s when STS does not answer, and is repeated', async () => {
    const { clock, backend, acquire } = createCacheHarness({
      answer: (_, call) => (call === 0 ? 'hang' : 'issue'),
    });
    const lease = acquire(identityOf(1));
    await clock.advance(10 * second - 1);
    assert.equal(lease.state.kind, 'pending');
    await clock.advance(1);
    assert.deepEqual(lease.state, {
      kind: 'unavailable',
      code: 'RequestTimeout',
      message: 'STS did not answer within 10s.',
    });
    assert.equal(backend.inFlight, 0);
    await clock.advance(second);
    assert.equal(lease.state.kind, 'issued');
  });

  it('survives a back-end that throws, without showing what it said', async () => {
    const { clock, acquire, lines } = createCacheHarness({
      answer: (_, call) => (call === 0 ? 'throw' : 'issue'),
    });
    const lease = acquire(identityOf(1));
    await clock.advance(100);
    assert.deepEqual(lease.state, {
      kind: 'unavailable',
      code: 'InternalError',
      message: 'Calling STS failed; see the log.',
    });
    assert.ok(lines.some((line) => line.code === 'ERR_INTERNAL'));
    await clock.advance(second);
    assert.equal(lease.state.kind, 'issued');
  });

  it('does not take credentials that are over when they come: the clock is wrong', async () => {
    let ahead = -59.5 * minute;
    const { clock, acquire } = createCacheHarness({ clockAheadMillis: () => ahead });
    const lease = acquire(identityOf(1));
    await clock.advance(100);
    assert.equal(lease.state.kind === 'unavailable' && lease.state.code, 'ClockSkew');
    ahead = 0;
    await clock.advance(second);
    assert.equal(lease.state.kind, 'issued');
  });
});

describe('a refresh', () => {
  it('comes before half of the life is over, and is told to all', async () => {
    const { clock, backend, acquire } = createCacheHarness();
    const leases = [acquire(identityOf(1)), acquire(identityOf(1))];
    await clock.advance(24 * minute - second);
    assert.equal(backend.calls.length, 1);
    await clock.advance(6 * minute);
    assert.equal(backend.calls.length, 2);
    for (const lease of leases) assert.deepEqual(kinds(lease.told), ['issued', 'issued']);
  });

  it('comes before the half of the shortest session that STS gives', async () => {
    const { clock, backend, acquire } = createCacheHarness({ sessionMillis: 15 * minute });
    acquire(identityOf(1));
    await clock.advance(7.5 * minute);
    assert.equal(backend.calls.length, 2);
  });

  it('that fails leaves the old credentials, with the problem', async () => {
    const { clock, acquire } = createCacheHarness({ answer: (_, call) => (call === 0 ? 'issue' : away) });
    const lease = acquire(identityOf(1));
    await clock.advance(30 * minute);
    assert.deepEqual(kinds(lease.told), ['issued', 'issued with problem']);
    assert.deepEqual(lease.state.kind === 'issued' && lease.state.problem, {
      code: 'NetworkError',
      message: 'ECONNREFUSED',
    });
    await clock.advance(28 * minute);
    assert.equal(lease.state.kind, 'issued');
  });

  it('that fails to the end makes the session unavailable with a minute left, and says so', async () => {
    const { clock, acquire } = createCacheHarness({ answer: (_, call) => (call === 0 ? 'issue' : away) });
    const lease = acquire(identityOf(1));
    await clock.advance(59 * minute);
    assert.equal(lease.state.kind, 'issued');
    await clock.advance(second);
    assert.deepEqual(kinds(lease.told), ['issued', 'issued with problem', 'unavailable']);
  });

  it('that fails to the end and then succeeds makes the session whole', async () => {
    let broken = false;
    const { clock, acquire } = createCacheHarness({ answer: () => (broken ? away : 'issue') });
    const lease = acquire(identityOf(1));
    await clock.advance(second);
    broken = true;
    await clock.advance(2 * hour);
    broken = false;
    await clock.advance(2 * minute);
    assert.deepEqual(kinds(lease.told), ['issued', 'issued with problem', 'unavailable', 'issued']);
  });

  it('that STS refuses leaves the old credentials while they are valid, then the refusal', async () => {
    const { clock, acquire } = createCacheHarness({ answer: (_, call) => (call === 0 ? 'issue' : denied) });
    const lease = acquire(identityOf(1));
    await clock.advance(58 * minute);
    assert.equal(lease.state.kind, 'issued');
    await clock.advance(2 * minute);
    assert.deepEqual(kinds(lease.told), ['issued', 'issued with problem', 'refused']);
    assert.deepEqual(lease.told.at(-1), { kind: 'refused', code: 'AccessDenied', message: 'not authorized' });
  });

  it('that STS hangs on is bounded as the first fetch is', async () => {
    const { clock, backend, acquire } = createCacheHarness({
      answer: (_, call) => (call === 1 ? 'hang' : 'issue'),
    });
    const lease = acquire(identityOf(1));
    await clock.advance(hour);
    assert.deepEqual(kinds(lease.told).slice(0, 3), ['issued', 'issued with problem', 'issued']);
    assert.equal(backend.mostPerIdentity, 1);
  });

  it('is repeated with growing waits while STS is away', async () => {
    const { clock, backend, acquire } = createCacheHarness({ answer: () => away, latencyMillis: () => 0 });
    acquire(identityOf(1));
    await clock.advance(2 * hour);
    const times = backend.calls.map(({ at }) => at);
    const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    assert.ok((waits[0] ?? 0) <= 501, `first after ${waits[0]}`);
    assert.ok(Math.max(...waits) <= minute + 1);
    assert.ok(waits.length < 2 * 120 + 10, `${waits.length} calls in two hours`);
    assert.ok(waits.length > 2 * 60, `${waits.length} calls in two hours`);
  });
});

describe('a refusal', () => {
  it('is remembered, and told once however often it is repeated', async () => {
    const { clock, backend, acquire } = createCacheHarness({ answer: () => denied });
    const lease = acquire(identityOf(1));
    await clock.advance(2 * hour);
    assert.deepEqual(lease.told, [{ kind: 'refused', code: 'AccessDenied', message: 'not authorized' }]);
    assert.ok(backend.calls.length >= 12 && backend.calls.length <= 32, `${backend.calls.length} calls`);
  });

  it('is tried again after 10 s at most, then ever more rarely', async () => {
    const { clock, backend, acquire } = createCacheHarness({ answer: () => denied, latencyMillis: () => 0 });
    acquire(identityOf(1));
    await clock.advance(4 * hour);
    const times = backend.calls.map(({ at }) => at);
    const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    assert.ok((waits[0] ?? 0) >= 5 * second && (waits[0] ?? 0) <= 10 * second + 1);
    assert.ok(waits.slice(-5).every((wait) => wait >= 5 * minute && wait <= 10 * minute + 1));
  });

  it('ends when the trust policy is put right', async () => {
    const { clock, acquire } = createCacheHarness({ answer: (_, call) => (call < 2 ? denied : 'issue') });
    const lease = acquire(identityOf(1));
    await clock.advance(minute);
    assert.deepEqual(kinds(lease.told), ['refused', 'issued']);
  });

  it('stays STS’s last word while STS is busy or away, for ten minutes', async () => {
    const { clock, acquire } = createCacheHarness({
      answer: (_, call) => (call === 0 ? denied : call % 2 ? away : throttled),
    });
    const lease = acquire(identityOf(1));
    await clock.advance(10 * minute);
    assert.deepEqual(kinds(lease.told), ['refused']);
    // Who asks later is told to come again: that the role was refused is not known any more.
    await clock.advance(hour);
    assert.deepEqual([...new Set(kinds(lease.told))], ['refused', 'unavailable']);
    assert.equal(lease.state.kind, 'unavailable');
  });

  it('changes when STS’s words change', async () => {
    const { clock, acquire } = createCacheHarness({
      answer: (_, call) =>
        call === 0 ? denied : { kind: 'refused', code: 'ValidationError', message: 'too long' },
    });
    const lease = acquire(identityOf(1));
    await clock.advance(minute);
    assert.deepEqual(
      lease.told.map((state) => state.kind === 'refused' && state.code),
      ['AccessDenied', 'ValidationError'],
    );
  });

  it('replaces unavailable', async () => {
    const { clock, acquire } = createCacheHarness({ answer: (_, call) => (call === 0 ? away : denied) });
    const lease = acquire(identityOf(1));
    await clock.advance(minute);
    assert.deepEqual(kinds(lease.told), ['unavailable', 'refused']);
  });

  it('is not forgotten because the pod was recreated at once', async () => {
    const { clock, backend, acquire } = createCacheHarness({ answer: () => denied });
    for (let restart = 0; restart < 60; restart += 1) {
      const lease = acquire(identityOf(1));
      await clock.advance(5 * second);
      assert.equal(lease.state.kind, 'refused');
      lease.release();
      await clock.advance(5 * second);
    }
    assert.ok(backend.calls.length < 12, `${backend.calls.length} calls in ten minutes`);
  });
});

describe('a listener', () => {
  it('that throws does not keep others from hearing', async () => {
    const { clock, cache, acquire, lines } = createCacheHarness();
    cache.acquire(identityOf(1), () => {
      throw new Error('a defect');
    });
    const lease = acquire(identityOf(1));
    await clock.advance(second);
    assert.deepEqual(kinds(lease.told), ['issued']);
    assert.ok(lines.some((line) => line.msg === 'a listener of a session failed'));
  });

  it('may release others and acquire from within', async () => {
    const { clock, cache, acquire } = createCacheHarness();
    const inner: string[] = [];
    cache.acquire(identityOf(1), (state) => {
      victim.release();
      inner.push(cache.acquire(identityOf(1), () => {}).state.kind, state.kind);
    });
    const victim = acquire(identityOf(1));
    await clock.advance(second);
    assert.deepEqual(inner, ['issued', 'issued']);
    assert.deepEqual(victim.told, []);
  });
});

describe('a listener during whose call the state changes again', () => {
  it('does not leave the others with the older state', async () => {
    const { clock, cache, acquire } = createCacheHarness();
    let first = true;
    cache.acquire(identityOf(1), () => {
      if (!first) return;
      first = false;
      clock.step(2 * hour);
      cache.acquire(identityOf(1), () => {});
    });
    const lease = acquire(identityOf(1));
    await clock.advance(100);
    assert.deepEqual(kinds(lease.told), ['pending']);
    await clock.advance(second);
    assert.deepEqual(kinds(lease.told), ['pending', 'issued']);
  });
});

describe('steps of the wall clock', () => {
  it('back and forth within seconds: a session that was judged in between is judged again', async () => {
    let calls = 0;
    const { clock, backend, acquire } = createCacheHarness({
      // Shorter than what is asked for, which a clock that is behind hides.
      clockAheadMillis: () => {
        calls += 1;
        return calls === 1 ? 5_208 * second - 55 * minute : 0;
      },
    });
    await clock.advance(second);
    clock.step(-5_208 * second);
    const lease = acquire(identityOf(1));
    await clock.advance(second);
    clock.step(5_208 * second);
    await clock.advance(10 * second);
    assert.equal(backend.calls.length, 2);
    assert.equal(lease.state.kind, 'issued');
  });

  it('forward: credentials that are over are not served from that moment, and fetched anew', async () => {
    const { clock, acquire } = createCacheHarness();
    const lease = acquire(identityOf(1));
    await clock.advance(second);
    clock.step(2 * hour);
    assert.equal(lease.state.kind, 'pending');
    await clock.advance(6 * second);
    assert.deepEqual(kinds(lease.told), ['issued', 'pending', 'issued']);
  });

  it('forward, not as far: the refresh comes at once', async () => {
    const { clock, backend, acquire } = createCacheHarness();
    const lease = acquire(identityOf(1));
    await clock.advance(second);
    clock.step(35 * minute);
    await clock.advance(6 * second);
    assert.equal(backend.calls.length, 2);
    assert.deepEqual(kinds(lease.told), ['issued', 'issued']);
  });

  it('back: credentials are refreshed on time all the same, and not served beyond their life', async () => {
    let broken = false;
    const { clock, backend, acquire } = createCacheHarness({ answer: () => (broken ? away : 'issue') });
    const lease = acquire(identityOf(1));
    await clock.advance(second);
    clock.step(-24 * hour);
    await clock.advance(30 * minute);
    assert.equal(backend.calls.length, 2);
    broken = true;
    await clock.advance(59 * minute);
    assert.equal(lease.state.kind, 'unavailable');
  });
});
