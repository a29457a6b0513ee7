import { isIPv4 } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ProfileServer } from '../telemetry/profile-server.ts';
import { parseListenAddress } from './listen-address.ts';

export interface ServeProfilesOptions {
  /** kiam's `--pprof-listen-addr`. */
  readonly address: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Serves profiles, on loopback whatever the address says: kiam's manifests have `:6060`, must start, and must not show
 * the inside of an agent to the network. A port that is taken is no reason not to start either: on a node where an
 * agent replaces another, the old one has it.
 *
 * @throws PodpassError ERR_USAGE when the address is not one
 */
export async function serveProfiles(options: ServeProfilesOptions): Promise<ProfileServer | undefined> {
  const { address, clock, logger } = options;
  const { host = '', port } = parseListenAddress('pprof-listen-addr', address);
  const loopback = loopbackOf(host);
  if (loopback === undefined)
    logger.warn(
      `--pprof-listen-addr ${address}: profiles are served on loopback only, at 127.0.0.1:${port}; reach them with kubectl port-forward`,
    );
  try {
    // Loaded here, because most processes never need it.
    const { startProfileServer } = await import('../telemetry/profile-server.ts');
    const server = await startProfileServer({ clock, host: loopback ?? '127.0.0.1', port });
    logger.info({ address: `${loopback ?? '127.0.0.1'}:${server.port}` }, 'serving profiles');
    return server;
  } catch (error) {
    logger.warn(`no profiles: ${messageOf(error)}. Everything else works.`);
    return undefined;
  }
}

/** The address of loopback that is meant, if one is. A name is not looked up. */
function loopbackOf(host: string): string | undefined {
  if (host === 'localhost') return '127.0.0.1';
  return host === '::1' || (isIPv4(host) && host.startsWith('127.')) ? host : undefined;
}
