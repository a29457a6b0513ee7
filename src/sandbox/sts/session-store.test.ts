import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom } from '../../base/random.ts';
import { createCallLog } from './call-log.ts';
import { mintCredentials, requestId, roleId } from './mint.ts';
import { createSessionStore, type StsSession } from './session-store.ts';
import { role, serverArn, trust } from './sts.fixture.ts';

const server = role(serverArn, trust({ Service: 'ec2.amazonaws.com' }));

describe('createSessionStore', () => {
  const clock = createFakeClock();
  const random = createSeededRandom(1);

  function session(seconds = 3_600): StsSession {
    const credentials = mintCredentials(clock, random, seconds);
    const endsAt = credentials.expiration;
    return { credentials, role: server.arn, sessionName: 'i-1', origin: 'instance', endsAt };
  }

  it('finds a session by its access key, and no other', () => {
    const store = createSessionStore(clock);
    const added = session();
    store.add(added);
    assert.equal(store.get(added.credentials.accessKeyId), added);
    assert.equal(store.get('ASIAUNKNOWN'), undefined);
  });

  it('forgets the oldest when it is full', () => {
    const store = createSessionStore(clock, 3);
    const added = Array.from({ length: 5 }, () => session());
    for (const one of added) store.add(one);
    assert.equal(store.size, 3);
    assert.deepEqual(
      added.map(({ credentials }) => store.get(credentials.accessKeyId) !== undefined),
      [false, false, true, true, true],
    );
  });

  it('remembers an ended session for an hour, so as to tell its owner', async () => {
    const store = createSessionStore(clock, 2);
    const short = session(900);
    const long = session(43_200);
    store.add(long);
    store.add(short);
    await clock.advance(900_000 + 3_600_000);
    assert.equal(store.get(short.credentials.accessKeyId), short);
    await clock.advance(1);
    // Full: the one that ended long ago goes, though it is not the oldest.
    store.add(session());
    assert.equal(store.get(short.credentials.accessKeyId), undefined);
    assert.equal(store.get(long.credentials.accessKeyId), long);
  });

  it('drops long-ended sessions now and then, full or not', async () => {
    const store = createSessionStore(clock);
    for (let i = 0; i < 1_000; i++) store.add(session(900));
    await clock.advance(5_000_000);
    for (let i = 0; i < 1_000; i++) store.add(session(900));
    assert.equal(store.size, 1_000);
  });
});

describe('mintCredentials', () => {
  it('makes keys in the shape of AWS’s, all different', () => {
    const clock = createFakeClock();
    const random = createSeededRandom(2);
    const made = Array.from({ length: 100 }, () => mintCredentials(clock, random, 900));
    for (const { accessKeyId, secretAccessKey, sessionToken } of made) {
      assert.match(accessKeyId, /^ASIA[A-Z2-7]{16}$/);
      assert.match(secretAccessKey, /^[A-Za-z0-9+/]{40}$/);
      assert.match(sessionToken, /^[A-Za-z0-9+/]{240}$/);
    }
    for (const key of ['accessKeyId', 'secretAccessKey', 'sessionToken'] as const) {
      assert.equal(new Set(made.map((credentials) => credentials[key])).size, 100);
    }
  });

  it('expires on a whole second, as AWS states it', async () => {
    const clock = createFakeClock();
    await clock.advance(1_234);
    const { expiration, issuedAt } = mintCredentials(clock, createSeededRandom(2), 900);
    assert.equal(issuedAt, clock.now());
    assert.equal(expiration % 1_000, 0);
    assert.equal(expiration, issuedAt - 234 + 900_000);
  });

  it('gives a role the same id each time, and each role its own', () => {
    const other = role(`${serverArn}-2`, trust('*'));
    assert.match(roleId(server.arn), /^AROA[A-Z2-7]{17}$/);
    assert.equal(roleId(server.arn), roleId(role(serverArn, trust('*')).arn));
    assert.notEqual(roleId(server.arn), roleId(other.arn));
  });

  it('numbers requests in the shape of a UUID', () => {
    assert.match(
      requestId(createSeededRandom(1)),
      /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    );
  });
});

describe('createCallLog', () => {
  it('keeps the latest calls, oldest first', () => {
    const log = createCallLog(3);
    for (let at = 0; at < 100; at++) {
      log.add({ at, action: 'AssumeRole', outcome: 'ok' });
      const expected = Array.from({ length: Math.min(at + 1, 3) }, (_, i) => Math.max(0, at - 2) + i);
      assert.deepEqual(
        log.records.map((record) => record.at),
        expected,
      );
    }
    log.clear();
    assert.deepEqual(log.records, []);
  });
});
