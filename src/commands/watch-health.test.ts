import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createFakeWatch } from '../broker/testing/fake-watch.ts';
import type { Pod } from '../cluster/objects.ts';
import type { WatchStatus } from '../cluster/watch.ts';
import { createHealth } from '../telemetry/health.ts';
import { addWatchCheck, whenLive } from './watch-health.ts';

describe('readiness of a watch', () => {
  const reportOf = async (status: WatchStatus) => {
    const clock = createFakeClock();
    const health = createHealth();
    addWatchCheck(health, 'pod watch', { ...createFakeWatch<Pod>(), size: 7, status }, clock);
    await clock.advance(90_000);
    return health.report('ready');
  };

  it('is not ready before the whole has been seen', async () => {
    const report = await reportOf({ kind: 'syncing' });
    assert.equal(report.ok, false);
  });

  it('is ready while in touch', async () => {
    const report = await reportOf({ kind: 'live' });
    assert.deepEqual(report.checks, [{ name: 'pod watch', ok: true, message: 'in touch, 7 objects' }]);
  });

  it('stays ready when contact is lost, and says for how long', async () => {
    const report = await reportOf({ kind: 'stale', since: 0 });
    assert.equal(report.ok, true);
    assert.match(report.checks[0]?.message ?? '', /out of touch for 1m30s, serving 7 objects/);
  });
});

describe('whenLive', () => {
  it('waits for the first time that the whole has been seen, and then stops listening', async () => {
    let tell: (status: WatchStatus) => void = () => {};
    let stopped = 0;
    const watch = {
      ...createFakeWatch<Pod>(),
      subscribe: (listener: { status: (status: WatchStatus) => void }) => {
        tell = listener.status;
        return () => void stopped++;
      },
    };
    let live = false;
    const waiting = whenLive(watch).then(() => {
      live = true;
    });
    tell({ kind: 'syncing' });
    await Promise.resolve();
    assert.equal(live, false);
    tell({ kind: 'live' });
    await waiting;
    await Promise.resolve();
    assert.equal(stopped, 1);
  });
});
