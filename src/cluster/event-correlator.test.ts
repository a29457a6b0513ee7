import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { type ClusterEvent, createEventCorrelator } from './event-correlator.ts';

const object = { apiVersion: 'v1', kind: 'Pod', namespace: 'team', name: 'web-0', uid: 'u1' };
const event: ClusterEvent = { object, type: 'Warning', reason: 'KiamRoleForbidden', message: 'forbidden' };

function create() {
  const clock = createFakeClock();
  const correlate = createEventCorrelator(clock);
  return {
    clock,
    correlate,
    key(change: Partial<ClusterEvent> = {}): string | undefined {
      const correlation = correlate({ ...event, ...change });
      return correlation.kind === 'series' ? correlation.key : undefined;
    },
  };
}

describe('the correlation of events', () => {
  it('puts the same into one series', () => {
    const { key } = create();
    assert.equal(key(), key());
  });

  const different: [string, Partial<ClusterEvent>][] = [
    ['message', { message: 'other' }],
    ['reason', { reason: 'KiamCredentialError' }],
    ['type', { type: 'Normal' }],
    ['object', { object: { ...object, uid: 'u2' } }],
    ['namespace', { object: { ...object, namespace: 'other' } }],
  ];
  for (const [what, change] of different) {
    it(`keeps apart what differs in its ${what}`, () => {
      const { key } = create();
      assert.notEqual(key(), key(change));
    });
  }

  it('combines the eleventh different message of a reason with those after it, and says so', () => {
    const { correlate } = create();
    const ten = Array.from({ length: 10 }, (_, index) => correlate({ ...event, message: `m${index}` }));
    assert.equal(new Set(ten.map((each) => each.kind === 'series' && each.key)).size, 10);
    const eleventh = correlate({ ...event, message: 'm10' });
    const twelfth = correlate({ ...event, message: 'm11' });
    assert.ok(eleventh.kind === 'series' && twelfth.kind === 'series');
    assert.equal(eleventh.key, twelfth.key);
    assert.equal(twelfth.message, '(combined from similar events): m11');
    // One of the ten known messages stays in its own series.
    assert.deepEqual(correlate({ ...event, message: 'm3' }), ten[3]);
  });

  it('counts different messages afresh after ten quiet minutes', async () => {
    const { clock, correlate } = create();
    for (let index = 0; index < 11; index += 1) correlate({ ...event, message: `m${index}` });
    await clock.advance(600_001);
    assert.deepEqual(correlate({ ...event, message: 'new' }).kind === 'series' && 'own', 'own');
    const again = correlate({ ...event, message: 'newer' });
    assert.equal(again.kind === 'series' && again.message, 'newer');
  });

  it('lets an object cause 25 writes at once, then one in five minutes', async () => {
    const { clock, key } = create();
    for (let index = 0; index < 25; index += 1) assert.ok(key(), `write ${index}`);
    assert.equal(key(), undefined);
    assert.equal(key({ reason: 'other' }), undefined);
    assert.ok(key({ object: { ...object, uid: 'another pod' } }));
    await clock.advance(299_000);
    assert.equal(key(), undefined);
    await clock.advance(1_001);
    assert.ok(key());
    assert.equal(key(), undefined);
  });

  it('saves no more than 25 writes up', async () => {
    const { clock, key } = create();
    key();
    await clock.advance(24 * 3_600_000);
    const allowed = Array.from({ length: 40 }, () => key()).filter(Boolean);
    assert.equal(allowed.length, 25);
  });
});
