import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf, PodpassError } from '../base/errors.ts';
import type { GrpcService } from './service.ts';

export interface GrpcServerOptions {
  /** `host:port`; `:port` for every address; port 0 for one that is free. */
  readonly bind: string;
  /** From `Certificates.serverCredentials()`; `insecure` is for tests. */
  readonly credentials: ServerCredentials | 'insecure';
  readonly services: readonly GrpcService[];
  readonly clock: Clock;
  readonly connections?: ConnectionOptions;
}

/** kiam's `--grpc-…` flags of the server, with kiam's defaults. Milliseconds. */
export interface ConnectionOptions {
  /** How long a connection is quiet before it is pinged. Default 10 s. */
  readonly keepaliveTime?: number;
  /** How long a ping may go unanswered before the connection is closed. Default 2 s. */
  readonly keepaliveTimeout?: number;
  /** A connection without calls is closed after this. Default 15 min. */
  readonly maxIdle?: number;
  /** A connection of this age takes no new calls, so that agents look again which servers there are. Default 15 min. */
  readonly maxAge?: number;
  /** How long calls may go on after that. Default 15 min. */
  readonly maxAgeGrace?: number;
  /** Calls at once on one connection. Default 1,000. */
  readonly maxConcurrentStreams?: number;
}

export interface GrpcServer {
  /**
   * @returns the port that is listened on
   * @throws PodpassError ERR_LISTEN
   */
  listen(): Promise<number>;
  /**
   * Takes no more connections and calls, ends the streams, and waits at most `graceMillis` for the calls under way;
   * what is left then is cut off.
   *
   * @returns whether every call came to its end
   */
  drain(graceMillis: number): Promise<boolean>;
  /** Cuts everything off at once. */
  close(): void;
}

/**
 * The gRPC server of a podpass server. It never punishes an agent for its pings: kiam's did, and closed the
 * connections of agents that run with kiam's own `--grpc-keepalive-permit-without-stream`.
 */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { bind, services, clock } = options;
  const credentials =
    options.credentials === 'insecure' ? ServerCredentials.createInsecure() : options.credentials;
  const server = new Server(serverOptions(options.connections ?? {}));
  for (const { definition, implementation } of services) server.addService(definition, implementation);

  function bindTo(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      server.bindAsync(address, credentials, (error, port) => {
        if (error) reject(error);
        else resolve(port);
      });
    });
  }

  return {
    async listen() {
      try {
        if (!bind.startsWith(':')) return await bindTo(bind);
        // All addresses of both families, as Go has it; of IPv4 alone where the host has no IPv6.
        return await bindTo(`[::]${bind}`).catch(() => bindTo(`0.0.0.0${bind}`));
      } catch (cause) {
        throw new PodpassError(
          'ERR_LISTEN',
          `cannot listen on ${bind}: ${messageOf(cause)}. Is it taken, or not an address of this host?`,
          { cause },
        );
      }
    },
    async drain(graceMillis) {
      // Each connection is told that it gets no new calls before its streams end: their agents go elsewhere.
      const closed = new Promise<void>((resolve, reject) =>
        server.tryShutdown((error) => (error ? reject(error) : resolve())),
      );
      for (const service of services) service.drain?.();
      const outcome = await bounded(clock, graceMillis, new AbortController().signal, () => closed);
      server.forceShutdown();
      return outcome.kind === 'done';
    },
    close: () => server.forceShutdown(),
  };
}

function serverOptions(connections: ConnectionOptions): ServerOptions {
  const minutes = 60_000;
  return {
    'grpc.keepalive_time_ms': connections.keepaliveTime ?? 10_000,
    'grpc.keepalive_timeout_ms': connections.keepaliveTimeout ?? 2_000,
    'grpc.max_connection_idle_ms': connections.maxIdle ?? 15 * minutes,
    'grpc.max_connection_age_ms': connections.maxAge ?? 15 * minutes,
    'grpc.max_connection_age_grace_ms': connections.maxAgeGrace ?? 15 * minutes,
    'grpc.max_concurrent_streams': connections.maxConcurrentStreams ?? 1_000,
    // What an agent sends is a few hundred bytes.
    'grpc.max_receive_message_length': 64 * 1024,
    // `grpc.enable_channelz` stays on: without it the library forgets its connections, and cannot cut them off.
  };
}
