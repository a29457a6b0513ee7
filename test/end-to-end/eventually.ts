import { setTimeout } from 'node:timers/promises';

const pollMillis = 50;

/**
 * Tries until it holds: resolves with what `attempt` comes to as soon as it does not throw.
 *
 * @param boundMillis generous, because machines are busy: it is only reached when something is wrong
 * @throws what the last attempt threw, when the bound has passed.
 */
export async function eventually<T>(attempt: () => T | Promise<T>, boundMillis = 15_000): Promise<T> {
  const end = performance.now() + boundMillis;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await setTimeout(pollMillis);
  }
}
