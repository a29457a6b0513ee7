import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Answer, PodView } from '../broker/broker.ts';
import { makeView } from '../broker/testing/objects.ts';
import type { SessionState } from '../credentials/session.ts';
import { createAgentBroker } from './agent-broker.ts';
import { getServerHealth } from './kiam-health.ts';
import { startAgent, startBrokerServer, until } from './testing/harness.ts';
import { createKiamAgent, type KiamServer, startKiamServer } from './testing/kiam-harness.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(...args: Parameters<typeof startKiamServer>): Promise<KiamServer> {
  const started = await startKiamServer(...args);
  cleanups.push(() => started.server.close());
  return started;
}

function agent(...ports: number[]) {
  const made = createKiamAgent(ports);
  cleanups.push(() => made.client.close());
  return made;
}

const never = new AbortController().signal;
const patience = { waitMillis: 800, signal: never };
const at = Date.parse('2026-01-01T00:00:00Z');
const credentials = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'the-secret',
  sessionToken: 'the-token',
  issuedAt: at,
  goodUntil: Number.POSITIVE_INFINITY,
  expiration: at + 3_600_000,
};
const issued: SessionState = { kind: 'issued', credentials };
const caller = { uid: 'kiam:10.0.0.1', namespace: '', name: '10.0.0.1' };
const role = { name: 'reader', arn: 'arn:aws:iam:::role/reader' };

describe("an agent with kiam's servers", () => {
  it('gets credentials', async () => {
    const { table, port } = await server();
    table.upsert(makeView({ name: 'web', session: issued }));
    const { broker } = agent(port);
    assert.deepEqual(await broker.askPatiently('10.0.0.1', patience), {
      kind: 'credentials',
      caller,
      role,
      credentials,
    });
  });

  it('knows the answer for a second, so that a door can ask again in the turn in which it writes', async () => {
    const { table, port } = await server();
    table.upsert(makeView({ name: 'web', session: issued }));
    const { broker, clock } = agent(port);
    assert.equal(broker.ask('10.0.0.1').kind, 'unknown');
    const answer = await broker.askPatiently('10.0.0.1', patience);
    assert.equal(broker.ask('10.0.0.1'), answer);
    assert.equal(broker.ask('::ffff:10.0.0.1'), answer, 'in any spelling');
    await clock.advance(1_000);
    assert.deepEqual(broker.ask('10.0.0.1'), { kind: 'unknown', address: '10.0.0.1' });
  });

  it('does not give one pod what it got for another that had the address a second ago', async () => {
    const { table, port } = await server();
    table.upsert(makeView({ name: 'web', session: issued }));
    const { broker, clock } = agent(port);
    await broker.askPatiently('10.0.0.1', patience);
    table.remove('uid-web');
    table.upsert(makeView({ name: 'other', decision: { kind: 'no-role', findings: [] } }));
    await clock.advance(1_000);
    assert.equal((await broker.askPatiently('10.0.0.1', patience)).kind, 'no-role');
  });

  it('asks for the role alone where that is all that is wanted', async () => {
    const { table, port } = await server();
    table.upsert(makeView({ name: 'web' }));
    const { broker } = agent(port);
    assert.deepEqual(await broker.askPatiently('10.0.0.1', { ...patience, for: 'role' }), {
      kind: 'pending',
      caller,
      role,
    });
  });

  const permissionless: PodView['decision'] = {
    kind: 'forbidden',
    role,
    refusal: { rule: 'missing', annotation: 'iam.amazonaws.com/permitted' },
    findings: [],
  };
  const denied = { kind: 'refused', code: 'AccessDenied', message: 'no' } as const;
  const busy = { kind: 'unavailable', code: 'Throttling', message: 'Rate exceeded' } as const;
  const cases: [what: string, overrides: Partial<PodView>, kind: Answer['kind']][] = [
    ['a pod without a role', { decision: { kind: 'no-role', findings: [] } }, 'no-role'],
    ['a role that policy forbids', { decision: permissionless }, 'forbidden'],
    ['a role that STS refuses', { session: denied }, 'refused'],
    ['a role that STS is too busy for', { session: busy }, 'unavailable'],
  ];
  for (const [what, overrides, kind] of cases) {
    it(`knows ${what}: ${kind}`, async () => {
      const { table, port } = await server();
      table.upsert(makeView({ name: 'web', ...overrides }));
      const { broker } = agent(port);
      const answer = await broker.askPatiently('10.0.0.1', patience);
      assert.equal(answer.kind, kind);
      if ('problem' in answer) assert.match(answer.problem.code, /^(AccessDenied|Throttling)$/);
    });
  }

  it('knows an address that two pods claim', async () => {
    const { table, port } = await server();
    table.upsert(makeView({ name: 'web' }));
    table.upsert(makeView({ name: 'db' }));
    const { broker } = agent(port);
    assert.deepEqual(await broker.askPatiently('10.0.0.1', patience), {
      kind: 'ambiguous',
      address: '10.0.0.1',
      claimants: [],
    });
  });

  it('asks again until a pod is known', async () => {
    const { table, port, clock: serverClock } = await server({ waitMillis: 10 });
    const { broker, clock } = agent(port);
    const asking = broker.askPatiently('10.0.0.1', patience);
    await until('the server waits', () => serverClock.pending === 1);
    await serverClock.advance(10);
    // The next try's time, which comes before the end of the wait.
    await until('the agent was told that there is no such pod', () => (clock.untilNext ?? 800) <= 50);
    table.upsert(makeView({ name: 'web', session: issued }));
    await clock.advance(50);
    assert.equal((await asking).kind, 'credentials');
  });

  it('gives up in time', async () => {
    const { port } = await server();
    const { broker, clock } = agent(port);
    const asking = broker.askPatiently('10.0.0.1', patience);
    await clock.advance(800);
    assert.deepEqual(await asking, { kind: 'unknown', address: '10.0.0.1' });
    assert.equal(clock.pending, 0);
  });

  it('asks the next server when one is gone', async () => {
    const [gone, there] = [await server(), await server()];
    gone.server.close();
    there.table.upsert(makeView({ name: 'web', session: issued }));
    const { broker } = agent(gone.port, there.port);
    assert.equal((await broker.askPatiently('10.0.0.1', patience)).kind, 'credentials');
  });

  it('rejects when the caller goes away', async () => {
    const { port } = await server();
    const { broker } = agent(port);
    const leaving = new AbortController();
    const asking = broker.askPatiently('10.0.0.1', { waitMillis: 800, signal: leaving.signal });
    leaving.abort(new Error('gone'));
    await assert.rejects(asking, /gone/);
  });
});

describe('an agent whose servers are replaced', () => {
  it("asks kiam's servers until one is podpass', then serves from memory", async () => {
    const old = await server();
    old.table.upsert(makeView({ name: 'web', session: issued }));
    const one = startAgent([old.port]);
    cleanups.push(() => one.stop());
    const { broker: kiam } = agent(old.port);
    const fed = {
      ask: (address: string): Answer => ({ kind: 'unknown', address }),
      askPatiently: assert.fail,
    };
    const broker = createAgentBroker({ feed: one.feed, fed, kiam });

    await until(
      "the feed knows that the servers are kiam's",
      () => one.feed.status.kind === 'kiam',
      one.clock,
    );
    assert.equal(one.feed.connectedOnce, true);
    assert.equal((await broker.askPatiently('10.0.0.1', patience)).kind, 'credentials');
    assert.equal(broker.ask('10.0.0.1').kind, 'credentials');

    old.server.close();
    const fresh = await startBrokerServer({ port: old.port });
    cleanups.push(() => fresh.server.close());
    await one.clock.advance(10_000);
    await until('the feed is connected', () => one.feed.status.kind === 'connected', one.clock);
    assert.equal(broker.ask('10.0.0.1').kind, 'unknown');
  });
});

describe('the question how a server is', () => {
  it("is answered by podpass' servers and kiam's", async () => {
    const { port } = await server();
    const { client, clock } = agent(port);
    assert.equal(
      await getServerHealth({ client, clock, connectMillis: 1_000, timeoutMillis: 1_000, signal: never }),
      'ok',
    );
  });

  it('is asked again until a server is well', async () => {
    let ok = false;
    const { port } = await server({
      health: () => ({ ok, checks: [{ name: 'memory', ok, message: 'low' }] }),
    });
    const { client, clock } = agent(port);
    const asking = getServerHealth({
      client,
      clock,
      connectMillis: 1_000,
      timeoutMillis: 60_000,
      signal: never,
    });
    await until('it has been asked once', () => clock.untilNext === 100);
    ok = true;
    await clock.advance(100);
    assert.equal(await asking, 'ok');
  });

  it('fails in time with what is wrong', async () => {
    const { port } = await server({
      health: () => ({ ok: false, checks: [{ name: 'memory', ok: false, message: 'low' }] }),
    });
    const { client, clock } = agent(port);
    const asking = getServerHealth({
      client,
      clock,
      connectMillis: 1_000,
      timeoutMillis: 1_000,
      signal: never,
    });
    const failed = assert.rejects(asking, { code: 'ERR_SERVER_UNREACHABLE', message: /memory: low/ });
    await until('it has been asked once', () => clock.untilNext === 100);
    await clock.advance(1_000);
    await failed;
  });

  it('fails when nobody is there', async () => {
    const { port, server: gone } = await server();
    gone.close();
    const { client, clock } = agent(port);
    const asking = getServerHealth({
      client,
      clock,
      connectMillis: 1_000,
      timeoutMillis: 1_000,
      signal: never,
    });
    const failed = assert.rejects(asking, {
      code: 'ERR_SERVER_UNREACHABLE',
      message: /^no server could be connected to within 1s \(--gateway-timeout-creation\): localhost/,
    });
    await until('it has tried once', () => clock.untilNext === 100);
    await clock.advance(1_000);
    await failed;
  });
});
