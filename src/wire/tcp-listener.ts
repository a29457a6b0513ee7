import { lookup } from 'node:dns/promises';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { messageOf, PodpassError } from '../base/errors.ts';

/** TCP ports that are listened on, with the connections that came through them. */
export interface TcpListener {
  readonly port: number;
  /** Takes no more connections. */
  close(): void;
  /** Cuts the connections off that exist. */
  destroyConnections(): void;
}

/** Families or addresses that this host does not have. */
const absent: readonly unknown[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

/**
 * Listens on `host:port`; `:port` is every address, of both families where the host has them, as Go has it. A name is
 * listened on at each of its addresses. Port 0 is one that is free.
 *
 * @throws PodpassError ERR_LISTEN
 */
export async function listenTcp(bind: string, onConnection: (socket: Socket) => void): Promise<TcpListener> {
  const sockets = new Set<Socket>();
  const servers: Server[] = [];

  async function listenOn(options: ListenOptions): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // What goes wrong with a connection is said by who uses it.
      socket.on('error', () => {});
      onConnection(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options, resolve);
    });
    servers.push(server);
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  const close = () => {
    for (const server of servers) server.close();
  };

  try {
    const { host, port: wanted } = splitBind(bind);
    const hosts =
      host === '' ? [undefined] : (await lookup(host, { all: true })).map(({ address }) => address);
    let port = wanted;
    let refused: unknown;
    for (const one of hosts) {
      try {
        port = await listenOn({ port, ...(one === undefined ? {} : { host: one }) });
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && absent.includes(error.code))) throw error;
        refused = error;
      }
    }
    if (servers.length === 0) throw refused;
    return {
      port,
      close,
      destroyConnections() {
        for (const socket of sockets) socket.destroy();
      },
    };
  } catch (cause) {
    close();
    throw new PodpassError(
      'ERR_LISTEN',
      `cannot listen on ${bind}: ${messageOf(cause)}. Is it taken, or not an address of this host?`,
      { cause },
    );
  }
}

function splitBind(bind: string): { host: string; port: number } {
  const colon = bind.lastIndexOf(':');
  const port = Number(bind.slice(colon + 1));
  if (colon < 0 || bind.endsWith(':') || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError('it is not of the form host:port');
  }
  return { host: bind.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port };
}
