import { PodpassError } from '../base/errors.ts';

export interface ListenAddress {
  /** Absent: all addresses, of IPv4 alone where the host has no IPv6. */
  readonly host?: string;
  readonly port: number;
}

/**
 * Reads `host:port`, `:port` (all addresses) or `[v6]:port`, as Go's flags take them.
 *
 * @throws PodpassError ERR_USAGE that names the flag
 */
export function parseListenAddress(flagName: string, text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new PodpassError(
      'ERR_USAGE',
      `--${flagName} ${JSON.stringify(text)} is not HOST:PORT, such as 0.0.0.0:9620.`,
    );
  }
  const host = match[1] ?? match[2];
  return host ? { host, port } : { port };
}
