import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom } from '../../base/random.ts';
import type { Broker } from '../../broker/broker.ts';
import { createPodTable, type PodTable } from '../../broker/pod-table.ts';
import { createTableBroker } from '../../broker/table-broker.ts';
import { createSilentLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createGrpcServer, type GrpcServer } from '../grpc-server.ts';
import { createKiamBroker } from '../kiam-broker.ts';
import { createKiamClient, type KiamClient } from '../kiam-client.ts';
import { createKiamService, type KiamServiceOptions } from '../kiam-service.ts';
import { createServerAddresses } from '../server-addresses.ts';
import { loopback } from './harness.ts';

export interface KiamServer {
  readonly server: GrpcServer;
  readonly port: number;
  readonly table: PodTable;
  readonly clock: FakeClock;
}

/** A server that speaks kiam's protocol alone, over a table that a test fills. */
export async function startKiamServer(options: Partial<KiamServiceOptions> = {}): Promise<KiamServer> {
  const clock = createFakeClock();
  const table = createPodTable(createMetrics());
  const broker = createTableBroker({ table, clock });
  const server = createGrpcServer({
    bind: '127.0.0.1:0',
    credentials: 'insecure',
    services: [createKiamService({ broker, clock, ...options })],
    clock,
  });
  return { server, port: await server.listen(), table, clock };
}

export interface KiamAgent {
  readonly client: KiamClient;
  readonly broker: Broker;
  readonly clock: FakeClock;
}

/** The agent's end of kiam's protocol, with the servers on these loopback ports. */
export function createKiamAgent(ports: readonly number[]): KiamAgent {
  const clock = createFakeClock();
  const logger = createSilentLogger();
  const servers = ports.map((port) => `localhost:${port}`);
  const addresses = createServerAddresses({ servers, clock, logger, resolve: loopback });
  const client = createKiamClient({ addresses, channel: { credentials: 'insecure' }, clock });
  return {
    client,
    clock,
    broker: createKiamBroker({ client, clock, random: createSeededRandom(3), logger }),
  };
}
