import type { Socket } from 'node:net';
import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import type { ReportHandshake } from './handshake-report.ts';
import type { GrpcService } from './service.ts';
import { listenTcp, type TcpListener } from './tcp-listener.ts';
import { createTlsDoor, type ServerTls } from './tls-door.ts';

export interface GrpcServerOptions {
  /** `host:port`; `:port` for every address; port 0 for one that is free. */
  readonly bind: string;
  /** From `Certificates.serverCredentials()`; `insecure` is for tests. */
  readonly credentials: ServerTls | 'insecure';
  /** Is told of each client that TLS did not let in. */
  readonly onRefused?: ReportHandshake;
  readonly services: readonly GrpcService[];
  readonly clock: Clock;
  readonly connections?: ConnectionOptions;
}

/** kiam's `--grpc-…` flags of the server, with kiam's defaults. Milliseconds; for idleness and ages 0 is no limit, as in Go. */
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
  const { bind, services, clock, credentials, onRefused = () => {} } = options;
  const server = new Server(serverOptions(options.connections ?? {}));
  for (const { definition, implementation } of services) server.addService(definition, implementation);

  // Connections are made and secured here, and then given to grpc-js, which for its part takes them as they are.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const injected = new Set<Socket>();
  const whenEmpty = Promise.withResolvers<void>();
  function inject(socket: Socket): void {
    if (!isOpen) {
      socket.destroy();
      return;
    }
    injected.add(socket);
    socket.once('close', () => {
      injected.delete(socket);
      if (!isOpen && injected.size === 0) whenEmpty.resolve();
    });
    injector.injectConnection(socket);
  }
  const door = credentials === 'insecure' ? undefined : createTlsDoor(credentials, inject, onRefused);
  let listener: TcpListener | undefined;
  let isOpen = true;

  function shut(): void {
    isOpen = false;
    if (injected.size === 0) whenEmpty.resolve();
    door?.close();
    listener?.close();
  }

  function cutOff(): void {
    server.forceShutdown();
    listener?.destroyConnections();
  }

  return {
    async listen() {
      listener = await listenTcp(bind, door?.admit ?? inject);
      return listener.port;
    },
    async drain(graceMillis) {
      shut();
      // Each connection is told that it gets no new calls before its streams end: their agents go elsewhere. The
      // library does not wait for connections that it was given; when the last one ends, all calls have.
      server.tryShutdown(() => {});
      for (const service of services) service.drain?.();
      const outcome = await bounded(
        clock,
        graceMillis,
        new AbortController().signal,
        () => whenEmpty.promise,
      );
      cutOff();
      return outcome.kind === 'done';
    },
    close() {
      shut();
      cutOff();
    },
  };
}

function serverOptions(connections: ConnectionOptions): ServerOptions {
  const minutes = 60_000;
  return {
    'grpc.keepalive_time_ms': connections.keepaliveTime ?? 10_000,
    'grpc.keepalive_timeout_ms': connections.keepaliveTimeout ?? 2_000,
    'grpc.max_connection_idle_ms': limit(connections.maxIdle) ?? 15 * minutes,
    'grpc.max_connection_age_ms': limit(connections.maxAge) ?? 15 * minutes,
    'grpc.max_connection_age_grace_ms': limit(connections.maxAgeGrace) ?? 15 * minutes,
    'grpc.max_concurrent_streams': connections.maxConcurrentStreams ?? 1_000,
    // What an agent sends is a few hundred bytes.
    'grpc.max_receive_message_length': 64 * 1024,
    // What nobody asks for here costs every call four closures. Without it the library forgets its connections and cannot
    // cut them off: `cutOff` does that by their sockets.
    'grpc.enable_channelz': 0,
  };
}

/** What the library takes as no limit. A timer that is set for longer, or near it, would fire at once. */
const unlimited = 2 ** 31 - 1;

function limit(millis: number | undefined): number | undefined {
  return millis === 0 || (millis ?? 0) > unlimited / 2 ? unlimited : millis;
}
