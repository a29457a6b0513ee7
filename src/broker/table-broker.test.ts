import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '../base/fake-clock.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { Broker } from './broker.ts';
import { createPodTable, type PodTable } from './pod-table.ts';
import { createTableBroker } from './table-broker.ts';
import { fakeCredentials } from './testing/fake-sessions.ts';
import { makeView } from './testing/objects.ts';

describe('table broker', () => {
  let clock: FakeClock;
  let table: PodTable;
  let broker: Broker;
  let located: string[];
  let wanted: string[];
  const signal = new AbortController().signal;

  beforeEach(() => {
    clock = createFakeClock();
    table = createPodTable(createMetrics());
    located = [];
    wanted = [];
    broker = createTableBroker({
      table,
      clock,
      locate: async (address) => void located.push(address),
      wanted: (view) => void wanted.push(view.name),
    });
  });

  const issued = (key: string, lifetime?: number) =>
    ({ kind: 'issued', credentials: fakeCredentials(key, clock.now(), lifetime) }) as const;
  const problem = { code: 'AccessDenied', message: 'no' };

  describe('ask', () => {
    it('serves again what seemed to have expired while the clock of the node was wrong', () => {
      table.upsert(makeView({ name: 'a', addresses: ['10.0.0.1'], session: issued('AKIA') }));
      clock.step(7_200_000);
      assert.equal(broker.ask('10.0.0.1').kind, 'unavailable');
      clock.step(-7_200_000);
      assert.equal(broker.ask('10.0.0.1').kind, 'credentials');
    });

    it('answers each state of a pod with its own kind', () => {
      const cases = [
        [makeView({ name: 'a', session: issued('AKIA') }), 'credentials'],
        [makeView({ name: 'a' }), 'pending'],
        [makeView({ name: 'a', session: { kind: 'refused', ...problem } }), 'refused'],
        [makeView({ name: 'a', session: { kind: 'unavailable', ...problem } }), 'unavailable'],
        [makeView({ name: 'a', decision: { kind: 'no-role', findings: [] } }), 'no-role'],
        [makeView({ name: 'a', decision: { kind: 'undecided', findings: [] } }), 'undecided'],
        [
          makeView({ name: 'a', decision: { kind: 'invalid', annotation: 'x', problem: 'y', findings: [] } }),
          'forbidden',
        ],
      ] as const;
      for (const [view, kind] of cases) {
        table.upsert(view);
        assert.equal(broker.ask('10.0.0.1').kind, kind);
      }
    });

    it('finds the pod whatever the spelling of its address', () => {
      table.upsert(makeView({ name: 'a', addresses: ['10.0.0.1', 'fd00::1'], session: issued('AKIA') }));
      for (const address of ['10.0.0.1', '::ffff:10.0.0.1', 'fd00::1', 'FD00:0:0::1']) {
        assert.equal(broker.ask(address).kind, 'credentials', address);
      }
    });

    it('knows nobody at an address that no pod owns, or that is not one', () => {
      for (const address of ['10.0.0.9', '', 'not an address', '10.0.0.1/8']) {
        assert.equal(broker.ask(address).kind, 'unknown', address);
      }
    });

    it('refuses both pods that claim one address, and names them', () => {
      table.upsert(makeView({ name: 'a', session: issued('A') }));
      table.upsert(makeView({ name: 'b', session: issued('B') }));
      const answer = broker.ask('10.0.0.1');
      assert.equal(answer.kind, 'ambiguous');
      assert.deepEqual(answer.kind === 'ambiguous' && answer.claimants.map((caller) => caller.name).sort(), [
        'a',
        'b',
      ]);
      table.remove('uid-a');
      assert.equal(broker.ask('10.0.0.1').kind, 'credentials');
    });

    it('stops serving credentials when less than a minute of them is left', async () => {
      table.upsert(makeView({ name: 'a', session: issued('AKIA', 3_600_000) }));
      assert.equal(broker.ask('10.0.0.1').kind, 'credentials');
      await clock.advance(3_540_000);
      assert.equal(broker.ask('10.0.0.1').kind, 'credentials');
      await clock.advance(1);
      assert.equal(broker.ask('10.0.0.1').kind, 'unavailable');
    });

    it('gives the same answer object while nothing changes, and a new one when something does', () => {
      table.upsert(makeView({ name: 'a', session: issued('AKIA1') }));
      const first = broker.ask('10.0.0.1');
      assert.equal(broker.ask('10.0.0.1'), first);
      table.upsert(makeView({ name: 'a', session: issued('AKIA2') }));
      assert.notEqual(broker.ask('10.0.0.1'), first);
    });
  });

  describe('askPatiently', () => {
    it('does not wait for what is known', async () => {
      table.upsert(makeView({ name: 'a', decision: { kind: 'no-role', findings: [] } }));
      const answer = await broker.askPatiently('10.0.0.1', { waitMillis: 800, signal });
      assert.equal(answer.kind, 'no-role');
      assert.equal(clock.pending, 0);
      assert.deepEqual(located, []);
    });

    it('waits for a pod to appear and its credentials to come', async () => {
      const asked = broker.askPatiently('10.0.0.1', { waitMillis: 800, signal });
      await clock.advance(300);
      table.upsert(makeView({ name: 'a' }));
      await clock.advance(300);
      table.upsert(makeView({ name: 'a', session: issued('AKIA') }));
      assert.equal((await asked).kind, 'credentials');
      assert.deepEqual(located, ['10.0.0.1']);
      assert.deepEqual(wanted, ['a']);
      assert.equal(clock.pending, 0);
    });

    it('is content with a pending session when only the role is wanted', async () => {
      const asked = broker.askPatiently('10.0.0.1', { waitMillis: 800, signal, for: 'role' });
      await clock.advance(10);
      table.upsert(makeView({ name: 'a' }));
      assert.equal((await asked).kind, 'pending');
    });

    it('gives up at its bound', async () => {
      const asked = broker.askPatiently('10.0.0.1', { waitMillis: 800, signal });
      await clock.advance(800);
      assert.equal((await asked).kind, 'unknown');
      assert.equal(clock.pending, 0);
    });

    it('rejects, and leaves nothing behind, when the caller goes away', async () => {
      const gone = new AbortController();
      const asked = broker.askPatiently('10.0.0.1', { waitMillis: 800, signal: gone.signal });
      gone.abort(new Error('gone'));
      await assert.rejects(asked, /gone/);
      assert.equal(clock.pending, 0);
    });

    it('answers with the state of the moment, not of the event that woke it', async () => {
      const asked = broker.askPatiently('10.0.0.1', { waitMillis: 800, signal });
      await clock.advance(1);
      table.upsert(makeView({ name: 'a', session: issued('A') }));
      table.remove('uid-a');
      table.upsert(makeView({ name: 'b', session: issued('B') }));
      const answer = await asked;
      assert.equal(answer.kind === 'credentials' && answer.credentials.accessKeyId, 'B');
    });
  });
});
