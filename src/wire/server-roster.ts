import type { Clock } from '../base/clock.ts';
import type { ServerAddress, ServerAddresses } from './server-addresses.ts';

/** The servers in the order in which to try them. */
export interface ServerRoster {
  list(signal: AbortSignal): Promise<readonly ServerAddress[]>;
  /** The server did not answer, or broke off: others come first for a while. */
  failed(server: ServerAddress): void;
}

/** A replica that was killed stays in DNS for some seconds, and a dial of its address may only time out. Milliseconds. */
const demotedMillis = 30_000;

/** Puts servers that failed a moment ago behind the others, and keeps the order otherwise. */
export function createServerRoster(addresses: ServerAddresses, clock: Clock): ServerRoster {
  const failures = new Map<string, number>();

  return {
    async list(signal) {
      const servers = await addresses.list(signal);
      const now = clock.monotonic();
      for (const [key, at] of failures) if (now - at >= demotedMillis) failures.delete(key);
      return [
        ...servers.filter((server) => !failures.has(keyOf(server))),
        ...servers.filter((server) => failures.has(keyOf(server))),
      ];
    },
    failed(server) {
      failures.set(keyOf(server), clock.monotonic());
    },
  };
}

function keyOf({ ip, port }: ServerAddress): string {
  return `${ip} ${port}`;
}
