import { connect, createServer, type Socket } from 'node:net';
import { listen } from './listen.ts';
import { createPutGuard } from './put-guard.ts';

export interface PodDoorOptions {
  /** The pod's address, one of 127.0.0.0/8: what the agent sees as the caller. */
  readonly podAddress: string;
  /** Where the agent listens, or what does an agent's work. */
  readonly agent: { readonly host: string; readonly port: number };
  /** `v1`: an SDK that comes through here uses IMDSv1, because its PUT is refused. */
  readonly imds: 'v1' | 'v2';
  readonly listenHost: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Connections at a time; more are closed at once. Default 64. */
  readonly maxConnections?: number;
}

export interface PodDoor {
  /** What a client takes as its metadata endpoint: `http://127.0.0.1:12345`. */
  readonly url: string;
  readonly port: number;
  /** Stops at once: open connections are cut off. */
  close(): Promise<void>;
}

/** A connection on which nothing moves for so long is closed. Milliseconds. */
const idleTimeout = 60_000;

/** EC2's own answer to a method it does not allow. SDKs take it as: there is no version 2 here. */
const notAllowed =
  'HTTP/1.1 405 Not Allowed\r\nAllow: OPTIONS, GET, HEAD\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/**
 * Opens the way into one pod: whatever connects here reaches the agent from the pod's address. An AWS client is
 * thereby put into the pod, with nothing but its endpoint set (`AWS_EC2_METADATA_SERVICE_ENDPOINT`).
 *
 * @throws PodpassError ERR_LISTEN
 */
export async function openPodDoor(options: PodDoorOptions): Promise<PodDoor> {
  const { podAddress, agent, imds, listenHost } = options;
  const open = new Set<Socket>();

  function keep(socket: Socket): void {
    open.add(socket);
    socket.setNoDelay(true);
    socket.setTimeout(idleTimeout, () => socket.destroy());
    socket.once('close', () => open.delete(socket));
  }

  function admit(client: Socket): void {
    const upstream = connect({ ...agent, localAddress: podAddress, allowHalfOpen: true });
    keep(client);
    keep(upstream);
    join(client, upstream);
    // `pipe` has back-pressure, and passes the end of one direction on while the other still runs.
    upstream.pipe(client);
    if (imds === 'v2') {
      client.pipe(upstream);
      return;
    }
    const guard = createPutGuard();
    guard.once('refused', () => {
      client.unpipe(guard);
      upstream.unpipe(client);
      upstream.destroy();
      client.end(notAllowed);
      // What the client still sends is read and dropped: unread bytes would turn the close into a reset.
      client.resume();
    });
    client.pipe(guard).pipe(upstream);
  }

  const server = createServer({ allowHalfOpen: true }, admit);
  server.maxConnections = options.maxConnections ?? 64;
  const { port, authority } = await listen(server, listenHost, options.port, `the pod ${podAddress}`);
  return {
    url: `http://${authority}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** A fault on one side is passed on as a fault; and neither side outlives the other's loss. */
function join(client: Socket, upstream: Socket): void {
  client.once('error', () => upstream.resetAndDestroy());
  upstream.once('error', () => client.resetAndDestroy());
  client.once('close', (hadError) => {
    if (!hadError) upstream.destroySoon();
  });
  upstream.once('close', (hadError) => {
    if (!hadError && !client.writableEnded) client.destroySoon();
  });
}
