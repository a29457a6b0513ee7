import { systemRandom } from '../../src/base/random.ts';
import { findFreePorts } from '../../src/sandbox/free-ports.ts';

/** Ports of 127.0.0.1 that nobody listens on at this moment, each another one. */
export function freePorts(count: number): Promise<number[]> {
  return findFreePorts(count, '127.0.0.1', systemRandom);
}
