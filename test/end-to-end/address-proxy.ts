import { connect, createServer, type Socket } from 'node:net';
import { type Scope, stopWith } from '../parts/scope.ts';

/**
 * Passes connections on to a port of this machine from an address of its own: what comes through it looks as if it came
 * from another node. Returns its port. On Linux all of 127.0.0.0/8 are this machine's.
 */
export async function startAddressProxy(scope: Scope, target: number, from: string): Promise<number> {
  const open = new Set<Socket>();
  function keep(socket: Socket, other: Socket): void {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      open.delete(socket);
      other.destroy();
    });
  }
  const server = createServer((client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', localAddress: from });
    keep(client, upstream);
    keep(upstream, client);
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  stopWith(scope, async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return address.port;
}
