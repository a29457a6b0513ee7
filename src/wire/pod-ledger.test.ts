import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { fakeCredentials } from '../broker/testing/fake-sessions.ts';
import { makeView } from '../broker/testing/objects.ts';
import { createPodLedger } from './pod-ledger.ts';
import { createRecordingSink } from './testing/harness.ts';

const [web, db] = [makeView({ name: 'web' }), makeView({ name: 'db' })];

function setUp() {
  const clock = createFakeClock();
  const sink = createRecordingSink();
  return {
    clock,
    sink,
    ledger: createPodLedger(sink, clock, 60_000),
    held: () => [...sink.held.keys()].sort(),
  };
}

describe('what an agent holds', () => {
  it('is what the stream tells', () => {
    const { ledger, sink } = setUp();
    ledger.begin();
    ledger.upsert(web);
    ledger.synced();
    ledger.upsert(db);
    ledger.remove(web.uid);
    assert.deepEqual(sink.log, ['+uid-web', 'synced', '+uid-db', '-uid-web']);
  });

  it('stays over a break, until a new stream has told everything', () => {
    const { ledger, held } = setUp();
    ledger.begin();
    ledger.upsert(web);
    ledger.upsert(db);
    ledger.synced();
    ledger.broke();
    ledger.begin();
    ledger.upsert(db);
    assert.deepEqual(held(), ['uid-db', 'uid-web']);
    ledger.synced();
    assert.deepEqual(held(), ['uid-db']);
  });

  it('stays over two breaks as well', () => {
    const { ledger, held } = setUp();
    ledger.begin();
    ledger.upsert(web);
    ledger.synced();
    ledger.begin();
    ledger.upsert(db);
    ledger.begin();
    ledger.upsert(db);
    assert.deepEqual(held(), ['uid-db', 'uid-web']);
    ledger.synced();
    assert.deepEqual(held(), ['uid-db']);
  });

  it('keeps the credentials of the last server until the next one has some, or the role changes', () => {
    const { ledger, sink } = setUp();
    const session = (key: string) => ({ kind: 'issued', credentials: fakeCredentials(key, 0) }) as const;
    const away = { kind: 'unavailable', code: 'NetworkError', message: 'away' } as const;
    const keyOf = () => {
      const state = sink.held.get(web.uid)?.session;
      return state?.kind === 'issued' ? state.credentials.accessKeyId : state?.kind;
    };
    const old = session('AKIA');
    ledger.begin();
    ledger.upsert({ ...web, session: old });
    ledger.synced();
    // A server that takes its own word back means it.
    ledger.upsert({ ...web, session: away });
    assert.equal(keyOf(), 'unavailable');
    ledger.upsert({ ...web, session: old });

    ledger.broke();
    ledger.begin();
    ledger.upsert(web);
    assert.equal(keyOf(), old.credentials.accessKeyId);
    ledger.upsert({ ...web, session: away });
    assert.equal(keyOf(), old.credentials.accessKeyId);
    const fresh = session('ASIA');
    ledger.upsert({ ...web, session: fresh });
    assert.equal(keyOf(), fresh.credentials.accessKeyId);
    ledger.upsert({ ...web, session: away });
    assert.equal(keyOf(), 'unavailable');
  });

  it('has no credentials that are older than they live, though its clock was set back and no server is there', async () => {
    const { ledger, sink, clock } = setUp();
    const minute = 60_000;
    const issued = {
      kind: 'issued',
      credentials: fakeCredentials('AKIA', clock.now(), 15 * minute),
    } as const;
    const kindOf = () => sink.held.get(web.uid)?.session.kind;
    ledger.begin();
    ledger.upsert({ ...web, session: issued });
    ledger.synced();
    ledger.broke();
    clock.step(-120 * minute);
    await clock.advance(13 * minute);
    // A server that tells of them again does not make them younger.
    ledger.begin();
    ledger.upsert({ ...web, session: issued });
    ledger.synced();
    ledger.broke();
    await clock.advance(minute - 1);
    assert.equal(kindOf(), 'issued');
    await clock.advance(1);
    assert.equal(kindOf(), 'unavailable');
    ledger.begin();
    ledger.upsert({ ...web, session: issued });
    assert.equal(kindOf(), 'unavailable');
    const next = {
      kind: 'issued',
      credentials: fakeCredentials('ASIA', clock.now(), 15 * minute, clock.monotonic() + 15 * minute),
    } as const;
    ledger.upsert({ ...web, session: next });
    assert.equal(kindOf(), 'issued');
  });

  it('has no word for the sink about what it does not hold', () => {
    const { ledger, sink } = setUp();
    ledger.begin();
    ledger.remove('uid-nobody');
    assert.deepEqual(sink.log, []);
  });
});

describe('a pod that was found', () => {
  it('is held, and for good once the stream has told of it', async () => {
    const { ledger, held, clock } = setUp();
    ledger.begin();
    ledger.synced();
    const search = ledger.search();
    search.found([web]);
    search.end();
    assert.deepEqual(held(), ['uid-web']);
    ledger.upsert(web);
    await clock.advance(120_000);
    assert.deepEqual(held(), ['uid-web']);
    assert.equal(clock.pending, 0);
  });

  it('is dropped when the stream has not told of it in time', async () => {
    const { ledger, held, clock } = setUp();
    ledger.begin();
    ledger.synced();
    ledger.search().found([web]);
    await clock.advance(59_999);
    assert.deepEqual(held(), ['uid-web']);
    await clock.advance(1);
    assert.deepEqual(held(), []);
  });

  it('is held as long as there is no stream to tell of it', async () => {
    const { ledger, held, clock } = setUp();
    ledger.begin();
    ledger.search().found([web]);
    ledger.broke();
    await clock.advance(3_600_000);
    assert.deepEqual(held(), ['uid-web']);
    ledger.begin();
    ledger.synced();
    assert.deepEqual(held(), []);
  });

  it('survives the end of the full state during which it was found', () => {
    const { ledger, held } = setUp();
    ledger.begin();
    ledger.search().found([web]);
    ledger.synced();
    assert.deepEqual(held(), ['uid-web']);
  });

  it('does not replace what the stream has told, which is newer', () => {
    const { ledger, sink } = setUp();
    ledger.begin();
    const search = ledger.search();
    const newer = makeView({ name: 'web', addresses: ['10.0.0.7'] });
    ledger.upsert(newer);
    search.found([web]);
    assert.equal(sink.held.get(web.uid), newer);
  });

  it('replaces what an earlier stream had told', () => {
    const { ledger, sink } = setUp();
    ledger.begin();
    ledger.upsert(makeView({ name: 'web', addresses: ['10.0.0.7'] }));
    ledger.synced();
    ledger.begin();
    ledger.search().found([web]);
    assert.equal(sink.held.get(web.uid), web);
  });

  it('does not come back when the stream removed it while the search was under way', () => {
    const { ledger, held } = setUp();
    ledger.begin();
    ledger.upsert(web);
    ledger.synced();
    const search = ledger.search();
    ledger.remove(web.uid);
    search.found([web]);
    search.end();
    assert.deepEqual(held(), []);
  });

  it('comes back when it was removed before the search began', () => {
    const { ledger, held } = setUp();
    ledger.begin();
    const other = ledger.search();
    ledger.remove(web.uid);
    const search = ledger.search();
    search.found([web]);
    assert.deepEqual(held(), ['uid-web']);
    other.end();
    search.end();
  });

  it('leaves no timer behind', () => {
    const { ledger, clock } = setUp();
    ledger.begin();
    ledger.search().found([web, db]);
    ledger.remove(web.uid);
    assert.equal(clock.pending, 1);
    ledger.close();
    assert.equal(clock.pending, 0);
  });
});
