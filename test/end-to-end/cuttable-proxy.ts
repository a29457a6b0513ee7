import { connect, createServer, type Socket } from 'node:net';
import { freePorts } from '../parts/free-ports.ts';
import { type Scope, stopWith } from '../parts/scope.ts';

/** A way through the network that can be interrupted. */
export interface CuttableProxy {
  readonly port: number;
  /** Cuts every connection, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
}

/** Passes connections on to a port of this machine. */
export async function startCuttableProxy(scope: Scope, target: number): Promise<CuttableProxy> {
  const [port = 0] = await freePorts(1);
  const open = new Set<Socket>();
  let isCut = false;

  function keep(socket: Socket, other: () => Socket): void {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      open.delete(socket);
      other().destroy();
    });
  }

  const server = createServer((client) => {
    if (isCut) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    keep(client, () => upstream);
    keep(upstream, () => client);
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });

  function cut(): void {
    isCut = true;
    for (const socket of open) socket.destroy();
  }

  stopWith(scope, async () => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    port,
    cut,
    mend() {
      isCut = false;
    },
  };
}
