import { createServer, type Server } from 'node:net';
import { PodpassError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';

/**
 * Linux gives the ports from 32768 on to connections that go out and to whoever listens on port 0. Below, a port stays
 * free until the process that it is for has started, and while that is restarted.
 */
const lowest = 15_000;
const highest = 32_000;
const mostTries = 200;

/**
 * Ports of an address that nobody listens on at this moment, each another one.
 *
 * @throws PodpassError ERR_SANDBOX when there are hardly any.
 */
export async function findFreePorts(count: number, host: string, random: Random): Promise<number[]> {
  // All are held until the last is known, so that none is given twice.
  const held = new Map<number, Server>();
  try {
    for (let tries = 0; held.size < count; tries++) {
      if (tries === mostTries) {
        const text = `no ${count} ports of ${host} from ${lowest} to ${highest} are free: end what listens there.`;
        throw new PodpassError('ERR_SANDBOX', text);
      }
      const port = lowest + Math.floor(random.next() * (highest - lowest));
      const server = held.has(port) ? undefined : await hold(host, port);
      if (server) held.set(port, server);
    }
    return [...held.keys()];
  } finally {
    await Promise.all(Array.from(held.values(), (server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** Listens on the port, if that can be done. */
function hold(host: string, port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, host, () => resolve(server));
  });
}
