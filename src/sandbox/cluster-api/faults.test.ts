import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../../base/fake-clock.ts';
import { createFaults } from './faults.ts';

const never = new AbortController().signal;
const request = { method: 'GET', path: '/api/v1/pods' };

describe('faults on request', () => {
  it('are none until asked for', async () => {
    const faults = createFaults(createFakeClock(), () => {});
    assert.deepEqual(await faults.before(request, never), { kind: 'none' });
    assert.equal(faults.watchList, 'serve');
  });

  it('fail so many requests and no more', async () => {
    const faults = createFaults(createFakeClock(), () => {});
    faults.failNext(2, { code: 429, reason: 'TooManyRequests', message: 'slow down' });
    for (let i = 0; i < 2; i++) {
      const mishap = await faults.before(request, never);
      assert.equal(mishap.kind === 'fail' && mishap.status.code, 429);
      assert.equal(mishap.kind === 'fail' && mishap.status.reason, 'TooManyRequests');
    }
    assert.deepEqual(await faults.before(request, never), { kind: 'none' });
  });

  it('fail only the requests they are for, in the order they were asked for', async () => {
    const faults = createFaults(createFakeClock(), () => {});
    faults.failNext(1, { code: 500 }, ({ method }) => method === 'POST');
    faults.dropNext(1);
    faults.failNext(1, { code: 503 });
    const kinds: string[] = [];
    for (const method of ['GET', 'GET', 'POST', 'GET']) {
      const mishap = await faults.before({ ...request, method }, never);
      kinds.push(mishap.kind === 'fail' ? `${mishap.status.code}` : mishap.kind);
    }
    assert.deepEqual(kinds, ['drop', '503', '500', 'none']);
  });

  it('hold requests for as long as they say', async () => {
    const clock = createFakeClock();
    const faults = createFaults(clock, () => {});
    faults.delay(500, ({ path }) => path.startsWith('/api/'));
    let done = false;
    const held = faults.before(request, never).then(() => {
      done = true;
    });
    assert.deepEqual(await faults.before({ method: 'GET', path: '/healthz' }, never), { kind: 'none' });
    await clock.advance(499);
    assert.equal(done, false);
    await clock.advance(1);
    await held;
    faults.delay(0);
    assert.deepEqual(await faults.before(request, never), { kind: 'none' });
  });

  it('let a held request go when its client does', async () => {
    const clock = createFakeClock();
    const faults = createFaults(clock, () => {});
    faults.delay(500);
    const client = new AbortController();
    const held = faults.before(request, client.signal);
    client.abort(new Error('gone'));
    await assert.rejects(held, /gone/);
    assert.equal(clock.pending, 0);
  });

  it('cut the watches that are open, and only those', () => {
    const faults = createFaults(createFakeClock(), () => {});
    const cut: string[] = [];
    faults.watching(() => cut.push('a'));
    const forget = faults.watching(() => cut.push('b'));
    forget();
    assert.equal(faults.cutWatches(), 1);
    assert.deepEqual(cut, ['a']);
  });

  it('end all together', async () => {
    let expirations = 0;
    const faults = createFaults(createFakeClock(), () => {
      expirations += 1;
    });
    faults.failNext(5, { code: 500 });
    faults.delay(10_000);
    faults.watchList = 'forbid';
    faults.expireHistory();
    faults.clear();
    assert.deepEqual(await faults.before(request, never), { kind: 'none' });
    assert.equal(faults.watchList, 'serve');
    assert.equal(expirations, 1);
  });
});
