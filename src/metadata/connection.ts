import type { Socket } from 'node:net';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Route, routeOf } from './route.ts';

/** What is remembered of one TCP connection, so that its next request costs less than its first. */
export interface Connection {
  readonly socket: Socket;
  /** The peer's address; IPv4 without the `::ffff:` that a dual-stack socket gives it. */
  readonly address: string;
  /** A request on it waits for the broker or for the upstream. */
  waiting: boolean;
  /** The last target and what it asks for. Clients repeat themselves. */
  target: string | undefined;
  route: Route;
  /** The last Host header that passed. */
  host: string | undefined;
  /** The last session token that was valid, whose it is and until when (wall clock, milliseconds). */
  token: string | undefined;
  tokenUid: string;
  tokenUntil: number;
}

export interface ConnectionLimits {
  /** Connections from one address. */
  readonly perAddress: number;
  /** Connections in all. */
  readonly total: number;
}

/** The connections that are open now. */
export interface Connections {
  /** Takes a connection in, or closes it at once where it is one too many. */
  open(socket: Socket): void;
  /** Undefined for one that was not taken in. */
  of(socket: Socket): Connection | undefined;
  readonly size: number;
}

export function createConnections(limits: ConnectionLimits, metrics: Metrics): Connections {
  const states = new WeakMap<Socket, Connection>();
  const perAddress = new Map<string, number>();
  let size = 0;
  metrics.beforeScrape(() => metrics.metadataConnections.set(size));

  return {
    open(socket) {
      const address = callerAddress(socket.remoteAddress);
      // The peer is gone already.
      if (address === undefined) {
        socket.destroy();
        return;
      }
      const already = perAddress.get(address) ?? 0;
      const limit = already >= limits.perAddress ? 'address' : size >= limits.total ? 'total' : undefined;
      if (limit !== undefined) {
        metrics.metadataConnectionsRefused.inc({ limit });
        socket.destroy();
        return;
      }
      perAddress.set(address, already + 1);
      size += 1;
      states.set(socket, newConnection(socket, address));
      socket.once('close', () => {
        const left = (perAddress.get(address) ?? 1) - 1;
        if (left > 0) perAddress.set(address, left);
        else perAddress.delete(address);
        size -= 1;
      });
    },
    of: (socket) => states.get(socket),
    get size() {
      return size;
    },
  };
}

/** What the connection's request line asks for. */
export function routeOn(connection: Connection, target: string): Route {
  if (connection.target !== target) {
    connection.route = routeOf(target);
    connection.target = target;
  }
  return connection.route;
}

function newConnection(socket: Socket, address: string): Connection {
  return {
    socket,
    address,
    waiting: false,
    target: undefined,
    route: { kind: 'forbidden-tree' },
    host: undefined,
    token: undefined,
    tokenUid: '',
    tokenUntil: 0,
  };
}

function callerAddress(remote: string | undefined): string | undefined {
  return remote?.startsWith('::ffff:') && remote.includes('.') ? remote.slice('::ffff:'.length) : remote;
}
