import { systemRandom } from '../../src/base/random.ts';
import { findFreePorts } from '../../src/sandbox/free-ports.ts';

/** Those that whoever asked before may not listen on yet. Two processes may share a port without a word (SO_REUSEPORT). */
const given = new Set<number>();

/** Ports of 127.0.0.1 that nobody listens on at this moment, and that were not given before. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    for (const port of await findFreePorts(count - found.length, '127.0.0.1', systemRandom)) {
      if (given.has(port)) continue;
      given.add(port);
      found.push(port);
    }
  }
  return found;
}
