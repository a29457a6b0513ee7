import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { createPodTable } from '../broker/pod-table.ts';
import { createTableBroker } from '../broker/table-broker.ts';
import { makeView } from '../broker/testing/objects.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { createBrokerService } from './broker-service.ts';
import { countCalls, createCallCounter } from './call-tally.ts';
import { channelTo } from './channel.ts';
import { KiamServiceClient } from './gen/kiam.ts';
import { createGrpcServer } from './grpc-server.ts';
import { createKiamService } from './kiam-service.ts';
import { createFakeNodeSource } from './testing/fake-node-source.ts';
import { startAgent, until } from './testing/harness.ts';
import { unaryCall } from './unary-call.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server with both services, and everything counted on both sides. */
async function start() {
  const clock = createFakeClock();
  const [ofServer, ofAgent] = [createMetrics(), createMetrics()];
  const table = createPodTable(createMetrics());
  const source = createFakeNodeSource();
  const random = createSeededRandom(1);
  const server = createGrpcServer({
    bind: '127.0.0.1:0',
    credentials: 'insecure',
    clock,
    services: [
      createKiamService({ broker: createTableBroker({ table, clock }), clock, waitMillis: 0 }),
      createBrokerService({ source, clock, random, logger: createSilentLogger() }),
    ].map((service) => countCalls(service, ofServer)),
  });
  const port = await server.listen();
  cleanups.push(() => server.close());
  const channel = { credentials: 'insecure', interceptors: [createCallCounter(ofAgent)] } as const;
  return { server, port, channel, table, source, ofServer, ofAgent };
}

/** The samples of a counter that are not 0, as `method code value`. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const metric = (await metrics.registry.getMetricsAsJSON()).find((one) => one.name === name);
  return (metric?.values ?? [])
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) =>
      [labels.grpc_type, labels.grpc_method, labels.grpc_code, value].filter(Boolean).join(' '),
    )
    .sort();
}

describe('calls', () => {
  it('are counted on both sides, with the codes of grpc-go', async () => {
    const { port, channel, table, ofServer, ofAgent } = await start();
    table.upsert(makeView({ name: 'web' }));
    const client = new KiamServiceClient(...channelTo({ host: 'localhost', ip: '127.0.0.1', port }, channel));
    cleanups.push(() => client.close());
    const never = new AbortController().signal;
    const ip = '10.0.0.1';
    for (const _ of [1, 2]) await unaryCall((done) => client.getPodRole({ ip }, done), never);
    await unaryCall((done) => client.getPodCredentials({ ip, role: 'not-its-role' }, done), never);
    const started = ['unary GetPodCredentials 1', 'unary GetPodRole 2'];
    for (const [side, metrics] of [
      ['server', ofServer],
      ['client', ofAgent],
    ] as const) {
      assert.deepEqual(await samples(metrics, `grpc_${side}_started_total`), started);
      assert.deepEqual(await samples(metrics, `grpc_${side}_handled_total`), [
        'unary GetPodCredentials Unknown 1',
        'unary GetPodRole OK 2',
      ]);
    }
    // Asked again, nothing has been added.
    assert.deepEqual(await samples(ofServer, 'grpc_server_started_total'), started);
    assert.deepEqual(await samples(ofServer, 'grpc_server_msg_received_total'), started);
    assert.deepEqual(await samples(ofServer, 'grpc_server_msg_sent_total'), ['unary GetPodRole 2']);
    assert.deepEqual(await samples(ofAgent, 'grpc_client_msg_sent_total'), started);
    assert.deepEqual(await samples(ofAgent, 'grpc_client_msg_received_total'), ['unary GetPodRole 2']);
  });

  for (const [how, code] of [
    ['the server drains', 'OK'],
    ['the agent goes away', 'Canceled'],
  ] as const) {
    it(`are counted once when they are streams and ${how}`, async () => {
      const { server, port, channel, source, ofServer, ofAgent } = await start();
      source.set(makeView({ name: 'web' }));
      const agent = startAgent([port], { channel });
      cleanups.push(() => agent.stop());
      await until('the agent has the pods', () => agent.sink.log.includes('synced'));
      assert.deepEqual(await samples(ofServer, 'grpc_server_started_total'), ['server_stream WatchNode 1']);
      assert.deepEqual(await samples(ofServer, 'grpc_server_handled_total'), []);
      // The pod, and that this is all.
      assert.deepEqual(await samples(ofServer, 'grpc_server_msg_sent_total'), ['server_stream WatchNode 2']);
      assert.deepEqual(await samples(ofAgent, 'grpc_client_msg_received_total'), [
        'server_stream WatchNode 2',
      ]);
      if (code === 'OK') await server.drain(5_000);
      else await agent.stop();
      let handled: string[] = [];
      await until('the stream is counted', () => {
        void samples(ofServer, 'grpc_server_handled_total').then((now) => {
          handled = now;
        });
        return handled.length > 0;
      });
      assert.deepEqual(handled, [`server_stream WatchNode ${code} 1`]);
    });
  }

  it('are there with 0 before the first, for each method and code, at the server', async () => {
    const { ofServer } = await start();
    const text = await ofServer.registry.metrics();
    const zero = 'grpc_type="unary",grpc_service="kiam.KiamService",grpc_method="GetPodCredentials"';
    assert.ok(text.includes(`grpc_server_started_total{${zero}} 0`));
    assert.ok(text.includes(`grpc_server_handled_total{${zero},grpc_code="Unauthenticated"} 0`));
    assert.ok(text.includes('grpc_service="podpass.v1.Broker",grpc_method="WatchNode"'));
  });
});
