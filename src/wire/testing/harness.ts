import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom } from '../../base/random.ts';
import type { PodView } from '../../broker/broker.ts';
import type { PodSink } from '../../broker/node-feed.ts';
import { createSilentLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { type BrokerServiceOptions, createBrokerService } from '../broker-service.ts';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from '../grpc-server.ts';
import { createRemoteFeed, type RemoteFeed, type RemoteFeedOptions } from '../remote-feed.ts';
import { createServerAddresses } from '../server-addresses.ts';
import { createFakeNodeSource, type FakeNodeSource } from './fake-node-source.ts';

/** What an agent asks that goes by any server, however up to date. */
export const anyServer = { inTouch: false, seen: undefined } as const;

/** A resolver for which every name is this machine. */
export const loopback = async () => ['127.0.0.1'];

/**
 * Waits for what comes over a real connection, moving the fake clock on in the meantime so that back-offs end: by as
 * much as really passes, so that a busy machine's handshake is not taken for a dead server, or by `step`.
 */
export async function until(what: string, isSo: () => boolean, clock?: FakeClock, step = 5): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if (isSo()) return;
    await pause(5);
    await clock?.advance(step);
  }
  assert.fail(`it did not come to pass that ${what}`);
}

export interface TestServer {
  readonly server: GrpcServer;
  readonly source: FakeNodeSource;
  readonly port: number;
}

/** A podpass server without a cluster. */
export async function startBrokerServer(
  options: Partial<GrpcServerOptions & BrokerServiceOptions> & {
    readonly port?: number;
    source?: FakeNodeSource;
  } = {},
): Promise<TestServer> {
  const source = options.source ?? createFakeNodeSource();
  const clock = options.clock ?? createFakeClock();
  const service = createBrokerService({
    random: createSeededRandom(1),
    logger: createSilentLogger(),
    ...options,
    source,
    clock,
  });
  const server = createGrpcServer({
    bind: `127.0.0.1:${options.port ?? 0}`,
    credentials: 'insecure',
    services: [service],
    ...options,
    clock,
  });
  return { server, source, port: await server.listen() };
}

/** What an agent holds, as a test looks at it. */
export interface RecordingSink extends PodSink {
  readonly held: ReadonlyMap<string, PodView>;
  /** `+uid`, `-uid` and `synced`, in order. */
  readonly log: readonly string[];
}

export function createRecordingSink(): RecordingSink {
  const held = new Map<string, PodView>();
  const log: string[] = [];
  return {
    held,
    log,
    upsert(view) {
      held.set(view.uid, view);
      log.push(`+${view.uid}`);
    },
    remove(uid) {
      held.delete(uid);
      log.push(`-${uid}`);
    },
    synced: () => log.push('synced'),
  };
}

export interface TestAgent {
  readonly feed: RemoteFeed;
  readonly sink: RecordingSink;
  readonly clock: FakeClock;
  /** Resolves when the feed has ended. */
  stop(): Promise<void>;
}

/** An agent's feed from the servers on these loopback ports. */
export function startAgent(ports: readonly number[], options: Partial<RemoteFeedOptions> = {}): TestAgent {
  const clock = createFakeClock();
  const logger = createSilentLogger();
  const sink = createRecordingSink();
  const feed = createRemoteFeed({
    addresses: createServerAddresses({
      servers: ports.map((port) => `localhost:${port}`),
      clock,
      logger,
      resolve: loopback,
    }),
    channel: { credentials: 'insecure' },
    node: { nodeName: 'node-1' },
    into: sink,
    clock,
    random: createSeededRandom(2),
    logger,
    metrics: createMetrics(),
    ...options,
  });
  const stopping = new AbortController();
  const running = feed.run(stopping.signal);
  return {
    feed,
    sink,
    clock,
    stop() {
      stopping.abort();
      return running;
    },
  };
}
