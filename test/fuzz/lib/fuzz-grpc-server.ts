import { status } from '@grpc/grpc-js';
import { systemClock } from '../../../src/base/clock.ts';
import { createSeededRandom } from '../../../src/base/random.ts';
import { createPodTable } from '../../../src/broker/pod-table.ts';
import { createTableBroker } from '../../../src/broker/table-broker.ts';
import { makeView } from '../../../src/broker/testing/objects.ts';
import { createSilentLogger } from '../../../src/telemetry/logger.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createBrokerService } from '../../../src/wire/broker-service.ts';
import * as podpass from '../../../src/wire/gen/podpass.ts';
import { createGrpcServer } from '../../../src/wire/grpc-server.ts';
import { createKiamService } from '../../../src/wire/kiam-service.ts';
import { createFakeNodeSource } from '../../../src/wire/testing/fake-node-source.ts';
import { holds } from '../fuzz-target.ts';
import { callRaw, framed, openSession } from './grpc-client.ts';

export const podAddress = '10.0.0.1';
export const secret = 'secret-of-the-pod';

const request = framed(
  podpass.FindPodRequest.encode({
    node: { nodeName: 'node-1', hostIp: '' },
    address: podAddress,
    waitMillis: 0,
  }).finish(),
);

export interface FuzzGrpcServer {
  readonly port: number;
  /** Throws unless an honest agent, on a connection of its own, is served. */
  checkOther(): Promise<void>;
  close(): void;
}

/** Both services on a real server on loopback, with one pod that has credentials. */
export async function startFuzzGrpcServer(): Promise<FuzzGrpcServer> {
  const now = Date.now();
  const view = makeView({
    name: 'web',
    addresses: [podAddress],
    session: {
      kind: 'issued',
      credentials: {
        accessKeyId: 'ASIA',
        secretAccessKey: secret,
        sessionToken: 'token',
        issuedAt: now,
        goodUntil: Number.POSITIVE_INFINITY,
        expiration: now + 86_400_000,
      },
    },
  });
  const source = createFakeNodeSource();
  source.set(view);
  const table = createPodTable(createMetrics());
  table.upsert(view);
  const clock = systemClock;
  const logger = createSilentLogger();
  const server = createGrpcServer({
    bind: '127.0.0.1:0',
    credentials: 'insecure',
    clock,
    services: [
      createBrokerService({ source, clock, logger, random: createSeededRandom(1) }),
      createKiamService({ broker: createTableBroker({ table, clock }), clock, waitMillis: 20 }),
    ],
  });
  const port = await server.listen();
  return {
    port,
    async checkOther() {
      const session = openSession(port);
      const outcome = await callRaw(session, { ':path': '/podpass.v1.Broker/FindPod' }, request, 10_000);
      session.destroy();
      holds(outcome.status === status.OK, `an honest agent got ${outcome.status}`);
    },
    close: () => server.close(),
  };
}
