import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Namespace, Pod } from '../cluster/objects.ts';
import { createCurrency } from './currency.ts';
import { createFakeWatch } from './testing/fake-watch.ts';

function start() {
  const pods = createFakeWatch<Pod>();
  const namespaces = createFakeWatch<Namespace>();
  const currency = createCurrency({ pods, namespaces });
  return { pods, namespaces, currency };
}

const nothing = { pods: '', namespaces: '' };

describe('the currency of a server', () => {
  it('is in touch while both of its watches are', () => {
    const { pods, namespaces, currency } = start();
    assert.ok(currency.isInTouch);
    namespaces.setStatus({ kind: 'stale', since: 0 });
    assert.equal(currency.isInTouch, false);
    pods.setStatus({ kind: 'syncing' });
    namespaces.setStatus({ kind: 'live' });
    assert.equal(currency.isInTouch, false);
    pods.setStatus({ kind: 'live' });
    assert.ok(currency.isInTouch);
  });

  it('tells once that contact is lost, whichever of the watches loses it', () => {
    const { pods, namespaces, currency } = start();
    let losses = 0;
    const stop = currency.onOutOfTouch(() => {
      losses += 1;
    });
    pods.setStatus({ kind: 'stale', since: 0 });
    namespaces.setStatus({ kind: 'stale', since: 0 });
    assert.equal(losses, 1);
    pods.setStatus({ kind: 'live' });
    namespaces.setStatus({ kind: 'live' });
    namespaces.setStatus({ kind: 'stale', since: 9 });
    assert.equal(losses, 2);
    stop();
    namespaces.setStatus({ kind: 'live' });
    namespaces.setStatus({ kind: 'stale', since: 10 });
    assert.equal(losses, 2);
  });

  const cases: [known: string | undefined, seen: string, objection: string | undefined][] = [
    ['100', '100', undefined],
    ['100', '99', undefined],
    ['100', '101', 'behind'],
    ['99', '100', 'behind'],
    // Before the first list nothing is told.
    [undefined, '100', undefined],
    ['100', '', undefined],
    // What cannot be compared is not held against anybody.
    ['opaque', '100', undefined],
  ];
  for (const [known, seen, expected] of cases) {
    it(`that knows ${known ?? 'nothing yet'} is ${expected ?? 'good enough'} for an agent that was told of ${seen || 'nothing'}`, () => {
      for (const resource of ['pods', 'namespaces'] as const) {
        const { [resource]: watch, currency } = start();
        watch.position = { known, changed: known };
        const requirement = { inTouch: true, seen: { ...nothing, [resource]: seen } };
        assert.equal(currency.objection(requirement), expected, resource);
      }
    });
  }

  it('is out of touch only for those who could do better', () => {
    const { pods, currency } = start();
    pods.setStatus({ kind: 'stale', since: 0 });
    assert.equal(currency.objection({ inTouch: true, seen: nothing }), 'out-of-touch');
    assert.equal(currency.objection({ inTouch: false, seen: nothing }), undefined);
  });

  it('says what it has taken in with one object for as long as that holds', () => {
    const { pods, currency } = start();
    const { seen } = currency;
    assert.deepEqual(seen, nothing);
    assert.equal(currency.seen, seen);
    pods.position = { known: '7', changed: '7' };
    assert.deepEqual(currency.seen, { pods: '7', namespaces: '' });
    assert.equal(currency.seen, currency.seen);
  });
});
