// Both services behind the gate, over real connections: what an agent of one node is told, and what not.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { createNodeBrokers } from '../broker/node-brokers.ts';
import { createPodTable } from '../broker/pod-table.ts';
import { createTableBroker } from '../broker/table-broker.ts';
import { fakeCredentials } from '../broker/testing/fake-sessions.ts';
import { makeView } from '../broker/testing/objects.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createAgentGate } from './agent-gate.ts';
import type { TokenProof } from './agent-tokens.ts';
import { setBearer } from './bearer-token.ts';
import { createBrokerService } from './broker-service.ts';
import { createGateReports } from './gate-reports.ts';
import { KiamServiceClient } from './gen/kiam.ts';
import { BrokerClient, type NodeEvent } from './gen/podpass.ts';
import { createGrpcServer } from './grpc-server.ts';
import { createKiamService } from './kiam-service.ts';
import { createFakeNodeSource } from './testing/fake-node-source.ts';
import { anyServer, until } from './testing/harness.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** Pod `own` on node-1, `other` on node-2, and one of each on an address that they share. */
async function start(scope: 'auto' | 'enforce' = 'auto') {
  const clock = createFakeClock();
  const metrics = createMetrics();
  const table = createPodTable(metrics);
  const source = createFakeNodeSource();
  const issued = (key: string) =>
    ({ kind: 'issued', credentials: fakeCredentials(key, clock.now()) }) as const;
  const pods = [
    makeView({ name: 'own', addresses: ['10.0.0.1'], session: issued('OWN') }),
    makeView({ name: 'other', nodeName: 'node-2', addresses: ['10.0.0.2'], session: issued('OTHER') }),
    makeView({ name: 'own-twin', addresses: ['10.0.0.3'], session: issued('TWIN1') }),
    makeView({ name: 'other-twin', nodeName: 'node-2', addresses: ['10.0.0.3'], session: issued('TWIN2') }),
  ];
  for (const pod of pods) table.upsert(pod);
  /** Which node 127.0.0.1 is on, and what comes of any token. */
  const world: { node: string | undefined; proof: TokenProof; holds: boolean } = {
    node: 'node-1',
    proof: { kind: 'unreviewed' },
    holds: true,
  };
  const gate = createAgentGate({
    scope,
    tokens: { check: async () => world.proof, holds: () => world.holds },
    nodeAt: () => world.node,
    nodeOf: () => undefined,
    clock,
    whenSynced: Promise.resolve(),
    reports: createGateReports({
      clock,
      metrics,
      logger: createSilentLogger(),
      record: () => {},
      isNode: () => false,
    }),
  });
  const server = createGrpcServer({
    bind: '127.0.0.1:0',
    credentials: 'insecure',
    clock,
    services: [
      createBrokerService({
        source,
        gate,
        clock,
        random: createSeededRandom(1),
        logger: createSilentLogger(),
      }),
      createKiamService({
        broker: createTableBroker({ table, clock }),
        scope: { gate, brokers: createNodeBrokers({ table, clock }) },
        clock,
        waitMillis: 500,
      }),
    ],
  });
  const target = `127.0.0.1:${await server.listen()}`;
  const kiam = new KiamServiceClient(target, credentials.createInsecure());
  const broker = new BrokerClient(target, credentials.createInsecure());
  cleanups.push(
    () => server.close(),
    () => kiam.close(),
    () => broker.close(),
  );

  function answer<T>(
    call: (done: (error: ServiceError | null, value: T) => void) => unknown,
  ): Promise<string | T> {
    const { promise, resolve } = Promise.withResolvers<string | T>();
    let settled = false;
    call((error, value) => {
      settled = true;
      resolve(error ? `${status[error.code]} ${error.details}` : value);
    });
    return until('the call is answered', () => settled, clock).then(() => promise);
  }
  const metadata = (token?: string) => {
    const made = new Metadata();
    if (token !== undefined) setBearer(made, token);
    return made;
  };
  return {
    clock,
    world,
    source,
    metrics,
    broker,
    metadata,
    roleAt: async (ip: string, token?: string) => {
      const role = await answer<{ name: string }>((done) => kiam.getPodRole({ ip }, metadata(token), done));
      return typeof role === 'string' ? role : role.name;
    },
    keyAt: async (ip: string) => {
      const given = await answer<{ accessKeyId: string }>((done) =>
        kiam.getPodCredentials({ ip, role: 'reader' }, done),
      );
      return typeof given === 'string' ? given : given.accessKeyId;
    },
    health: () => answer((done) => kiam.getHealth({}, done)),
    find: (nodeName: string, token?: string) =>
      answer((done) =>
        broker.findPod(
          { node: { nodeName, hostIp: '' }, address: '10.0.0.1', waitMillis: 0 },
          metadata(token),
          done,
        ),
      ),
    watch(nodeName: string, token?: string) {
      const call = broker.watchNode({ node: { nodeName, hostIp: '' }, ...anyServer }, metadata(token));
      const state: { opened: boolean; end: string | undefined } = { opened: false, end: undefined };
      call.on('metadata', () => {
        state.opened = true;
      });
      call.on('data', (_event: NodeEvent) => {});
      call.on('error', () => {});
      call.on('status', ({ code, details }) => {
        state.end = `${status[code]} ${details}`.trim();
      });
      return state;
    },
  };
}

describe("kiam's calls by an agent of one node", () => {
  it('are answered for its pods, and know no others', async () => {
    const { roleAt, keyAt, metrics } = await start();
    assert.equal(await roleAt('10.0.0.1'), 'reader');
    assert.equal(await keyAt('10.0.0.1'), 'OWN');
    assert.equal(await roleAt('10.0.0.2'), 'UNKNOWN pod not found');
    assert.equal(await keyAt('10.0.0.2'), 'UNKNOWN no pod found');
    assert.equal(await keyAt('10.0.0.9'), 'UNKNOWN no pod found');
    const { values } = await metrics.agentCalls.get();
    const count = (outcome: string) =>
      values.find(({ labels }) => labels.proof === 'address' && labels.outcome === outcome)?.value;
    assert.deepEqual([count('served'), count('refused')], [3, 2]);
  });

  it('see no conflict with pods of other nodes', async () => {
    const { keyAt, world } = await start();
    assert.equal(await keyAt('10.0.0.3'), 'TWIN1');
    world.node = 'node-2';
    assert.equal(await keyAt('10.0.0.3'), 'TWIN2');
    world.node = undefined;
    assert.equal(await keyAt('10.0.0.3'), 'UNKNOWN multiple running pods found');
  });

  it('are answered for any pod where it proves nothing, and refused by enforce', async () => {
    const auto = await start('auto');
    auto.world.node = undefined;
    assert.equal(await auto.keyAt('10.0.0.2'), 'OTHER');
    const enforced = await start('enforce');
    enforced.world.node = undefined;
    assert.match(await enforced.keyAt('10.0.0.2'), /^PERMISSION_DENIED .*does not show which node it is on/);
    assert.match(await enforced.roleAt('10.0.0.2'), /^PERMISSION_DENIED /);
    assert.deepEqual(await enforced.health(), { message: 'ok' }, 'probes are open');
  });

  it('are refused with a token that is refused', async () => {
    const { roleAt, world } = await start();
    world.proof = { kind: 'refused', message: 'token has expired' };
    assert.match(await roleAt('10.0.0.1', 'a.b.c'), /^UNAUTHENTICATED .*token has expired/);
  });
});

describe('streams and searches by an agent of one node', () => {
  it('are those of its node', async () => {
    const { watch, find, source } = await start();
    const stream = watch('node-1');
    await until('the stream opens', () => stream.opened);
    assert.deepEqual(source.watching, [{ nodeName: 'node-1' }]);
    assert.match(String((await watchEnd(watch('node-2'))).end), /^PERMISSION_DENIED .*pods of node node-2/);
    assert.deepEqual(await find('node-1'), { pods: [] });
    assert.match(String(await find('node-2')), /^PERMISSION_DENIED /);
    assert.equal(source.watching.length, 1);
    assert.equal(source.searches.length, 1);
  });

  it('are those of the node of its token, wherever it calls from', async () => {
    const { watch, find, world, source } = await start('enforce');
    world.node = 'node-2';
    world.proof = { kind: 'proven', nodeName: 'node-1', podUid: 'uid', isSeen: true };
    const stream = watch('node-1', 'a.b.c');
    await until('the stream opens', () => stream.opened);
    assert.deepEqual(source.watching, [{ nodeName: 'node-1' }]);
    assert.match(String(await find('node-2', 'a.b.c')), /^PERMISSION_DENIED .*by its token/);
  });

  for (const breaks of ['address', 'token'] as const) {
    it(`end within ten seconds when the ${breaks} does not hold any more`, async () => {
      const { watch, world, clock, source } = await start();
      if (breaks === 'token')
        world.proof = { kind: 'proven', nodeName: 'node-1', podUid: 'uid', isSeen: true };
      const stream = watch('node-1', breaks === 'token' ? 'a.b.c' : undefined);
      await until('the stream opens', () => stream.opened);
      await clock.advance(60_000);
      assert.equal(source.watching.length, 1);
      if (breaks === 'token') world.holds = false;
      else world.node = 'node-2';
      await clock.advance(10_000);
      assert.equal(source.watching.length, 0);
      await watchEnd(stream);
      assert.match(stream.end ?? '', /^OK/);
      assert.equal(clock.pending, 0);
    });
  }

  it('are not opened for a caller that is gone before it is known', async () => {
    const { broker, metadata, world, source, clock } = await start();
    world.proof = { kind: 'proven', nodeName: 'node-1', podUid: 'uid', isSeen: true };
    const call = broker.watchNode(
      { node: { nodeName: 'node-1', hostIp: '' }, ...anyServer },
      metadata('a.b.c'),
    );
    call.on('error', () => {});
    let isOver = false;
    call.on('status', () => {
      isOver = true;
    });
    call.cancel();
    await until('the call is over', () => isOver);
    await until('nobody is told', () => source.watching.length === 0 && clock.pending === 0);
  });
});

async function watchEnd<T extends { end: string | undefined }>(stream: T): Promise<T> {
  await until('the stream ends', () => stream.end !== undefined);
  return stream;
}
