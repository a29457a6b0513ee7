import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createFreshness } from './freshness.ts';

function create() {
  const clock = createFakeClock();
  const statuses: string[] = [];
  const stale: number[] = [];
  const freshness = createFreshness({
    clock,
    graceMillis: 2_000,
    onStatus: (status) =>
      statuses.push(status.kind === 'stale' ? `stale since ${status.since}` : status.kind),
    onStaleMillis: (millis) => stale.push(millis),
  });
  return { clock, freshness, statuses, stale };
}

describe('freshness', () => {
  it('is syncing until it is live, whatever fails', async () => {
    const { clock, freshness, statuses } = create();
    freshness.failed();
    freshness.ended();
    await clock.advance(60_000);
    assert.equal(freshness.status.kind, 'syncing');
    freshness.live();
    assert.deepEqual(statuses, ['live']);
  });

  it('forgives an end that is followed by a new beginning within the grace', async () => {
    const { clock, freshness, statuses } = create();
    freshness.live();
    freshness.ended();
    await clock.advance(1_999);
    freshness.live();
    await clock.advance(60_000);
    assert.deepEqual(statuses, ['live']);
    assert.equal(clock.pending, 0);
  });

  it('is stale when the grace is over, since the last byte', async () => {
    const { clock, freshness, statuses } = create();
    freshness.live();
    await clock.advance(5_000);
    freshness.heard();
    await clock.advance(30_000);
    freshness.ended();
    await clock.advance(1_000);
    freshness.ended();
    await clock.advance(1_000);
    assert.deepEqual(statuses, ['live', 'stale since 5000']);
  });

  it('that was stale is live again when a watch has held for a moment', async () => {
    const { clock, freshness, statuses } = create();
    freshness.live();
    freshness.failed();
    freshness.opened();
    await clock.advance(999);
    assert.deepEqual(statuses, ['live', 'stale since 0']);
    await clock.advance(1);
    assert.deepEqual(statuses, ['live', 'stale since 0', 'live']);
    assert.equal(clock.pending, 0);
  });

  it('that was stale stays so when the watch ends before that', async () => {
    for (const end of ['ended', 'failed'] as const) {
      const { clock, freshness, statuses } = create();
      freshness.live();
      freshness.failed();
      freshness.opened();
      freshness[end]();
      await clock.advance(60_000);
      assert.deepEqual(statuses, ['live', 'stale since 0']);
    }
  });

  it('that was stale is live at once when news come', () => {
    const { clock, freshness, statuses } = create();
    freshness.live();
    freshness.failed();
    freshness.opened();
    freshness.live();
    assert.deepEqual(statuses, ['live', 'stale since 0', 'live']);
    assert.equal(clock.pending, 0);
  });

  it('does not become live by a watch before the whole is known', async () => {
    const { clock, freshness, statuses } = create();
    freshness.opened();
    await clock.advance(60_000);
    assert.deepEqual(statuses, []);
  });

  it('is stale at once when an attempt fails', () => {
    const { freshness, statuses } = create();
    freshness.live();
    freshness.ended();
    freshness.failed();
    freshness.failed();
    assert.deepEqual(statuses, ['live', 'stale since 0']);
  });

  it('tells how long it has been stale every five seconds, and 0 when that is over', async () => {
    const { clock, freshness, stale } = create();
    freshness.live();
    await clock.advance(1_000);
    freshness.failed();
    await clock.advance(11_000);
    freshness.live();
    await clock.advance(60_000);
    assert.deepEqual(stale, [0, 1_000, 6_000, 11_000, 0]);
  });

  it('leaves no timer when it is stopped, in whatever state', async () => {
    for (const prepare of ['ended', 'failed'] as const) {
      const { clock, freshness } = create();
      freshness.live();
      freshness[prepare]();
      assert.equal(clock.pending, 1);
      freshness.stop();
      assert.equal(clock.pending, 0);
    }
  });
});
