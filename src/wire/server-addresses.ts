import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf, PodpassError } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';

/** One server process that can be dialled. */
export interface ServerAddress {
  /** As configured. The server's certificate must have this name. */
  readonly host: string;
  readonly ip: string;
  readonly port: number;
}

/** All addresses of a host name. Rejects when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export interface ServerAddressesOptions {
  /** `host:port` each, as kiam's `--server-address` has it; `[v6]:port` for an address of IPv6. */
  readonly servers: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: the operating system's resolver. */
  readonly resolve?: Resolve;
}

export interface ServerAddresses {
  /** Where servers are now, the preferred one first. Names that cannot be resolved stand for what they last were. */
  list(signal: AbortSignal): Promise<readonly ServerAddress[]>;
}

/** The system's resolver may take half a minute when DNS is away. Milliseconds. */
const resolveMillis = 2_000;

/**
 * Knows where the servers are. A headless service's name stands for all replicas.
 *
 * Every agent puts them in the same order: entries as configured, and the addresses of one entry sorted. So all
 * agents stream from the same server while it lives, and two nodes whose pods share an identity cost one call of STS
 * and not one for each replica. What a server does for one agent is small (pushes of what changes), so spreading
 * agents over replicas would gain nothing; the other replicas stand by and answer whom the first does not reach.
 *
 * @throws PodpassError ERR_USAGE for a server that is not `host:port`
 */
export function createServerAddresses(options: ServerAddressesOptions): ServerAddresses {
  const { clock, logger, resolve = resolveWithSystem } = options;
  const entries = options.servers.map(parseServer);
  const lastKnown = new Map<string, readonly string[]>();

  async function addressesOf(host: string, signal: AbortSignal): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    try {
      const outcome = await bounded(clock, resolveMillis, signal, () => resolve(host));
      if (outcome.kind === 'done') {
        const sorted = [...new Set(outcome.value)].sort(byFamilyAndText);
        lastKnown.set(host, sorted);
        return sorted;
      }
      logger.warn({ host }, 'cannot resolve the server name in time');
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ host }, `cannot resolve the server name: ${messageOf(error)}`);
    }
    return lastKnown.get(host) ?? [];
  }

  return {
    async list(signal) {
      const lists = await Promise.all(
        entries.map(async ({ host, port }) =>
          (await addressesOf(host, signal)).map((ip) => ({ host, ip, port })),
        ),
      );
      return lists.flat();
    },
  };
}

/** @throws PodpassError ERR_USAGE */
function parseServer(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new PodpassError(
      'ERR_USAGE',
      `--server-address ${JSON.stringify(text)} is not HOST:PORT, such as podpass-server:443.`,
    );
  }
  return { host, port };
}

function byFamilyAndText(a: string, b: string): number {
  return isIP(a) - isIP(b) || (a < b ? -1 : Number(a > b));
}

async function resolveWithSystem(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
