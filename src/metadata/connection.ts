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
  /** Bytes that had been read when its last request came, and how many requests have come with those. */
  read: number;
  atOnce: number;
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
  /**
   * Takes a connection in, or closes it at once where it is one too many. Where there are too many in all, the address
   * that has the most gives its oldest for an address that has fewer: no number of pods can keep another one out.
   */
  open(socket: Socket): void;
  /** Undefined for one that was not taken in. */
  of(socket: Socket): Connection | undefined;
  readonly size: number;
}

export function createConnections(limits: ConnectionLimits, metrics: Metrics): Connections {
  const states = new WeakMap<Socket, Connection>();
  const byAddress = new Map<string, Set<Socket>>();
  let size = 0;
  metrics.beforeScrape(() => metrics.metadataConnections.set(size));

  function refuse(socket: Socket, limit: 'address' | 'total' | 'share'): void {
    metrics.metadataConnectionsRefused.inc({ limit });
    socket.destroy();
  }

  function leave(socket: Socket, address: string): void {
    const sockets = byAddress.get(address);
    if (!sockets?.delete(socket)) return;
    if (sockets.size === 0) byAddress.delete(address);
    size -= 1;
  }

  /** Makes room for an address that has `count` connections. Whether there is room now. */
  function makeRoom(count: number): boolean {
    let most: [string, Set<Socket>] | undefined;
    for (const entry of byAddress) if (entry[1].size > (most?.[1].size ?? 0)) most = entry;
    const [address = '', sockets] = most ?? [];
    const [oldest] = sockets ?? [];
    if (sockets === undefined || oldest === undefined || sockets.size <= count + 1) return false;
    leave(oldest, address);
    refuse(oldest, 'share');
    return true;
  }

  return {
    open(socket) {
      const address = callerAddress(socket.remoteAddress);
      // The peer is gone already.
      if (address === undefined) {
        socket.destroy();
        return;
      }
      const already = byAddress.get(address) ?? new Set<Socket>();
      if (already.size >= limits.perAddress) return refuse(socket, 'address');
      if (size >= limits.total && !makeRoom(already.size)) return refuse(socket, 'total');
      already.add(socket);
      byAddress.set(address, already);
      size += 1;
      states.set(socket, newConnection(socket, address));
      socket.once('close', () => leave(socket, address));
    },
    of: (socket) => states.get(socket),
    get size() {
      return size;
    },
  };
}

/**
 * Requests that may come in one read of the socket. Everybody else waits while those of all connections are answered,
 * which are thousands when pods are hostile: with 64 on each it took longer than an SDK waits.
 */
const mostAtOnce = 8;

/**
 * Whether the client sends requests in bulk. They are small and answers are not: the 64 kB of them that one read takes
 * in would make us hold more than a megabyte for each connection before Node stops reading. No SDK pipelines at all.
 */
export function isFlooding(connection: Connection): boolean {
  const read = connection.socket.bytesRead;
  connection.atOnce = read === connection.read ? connection.atOnce + 1 : 1;
  connection.read = read;
  return connection.atOnce > mostAtOnce;
}

/** What the connection's request line asks for. */
export function routeOn(connection: Connection, target: string): Route {
  if (connection.target !== target) {
    connection.route = routeOf(target);
    connection.target = target;
  }
  return connection.route;
}

export function newConnection(socket: Socket, address: string): Connection {
  return {
    socket,
    address,
    waiting: false,
    read: 0,
    atOnce: 0,
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
