import { systemClock } from '../base/clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { loadCertificates } from '../wire/certificates.ts';
import { routeGrpcLog } from '../wire/grpc-log.ts';
import { createKiamClient } from '../wire/kiam-client.ts';
import { getServerHealth } from '../wire/kiam-health.ts';
import { createServerAddresses } from '../wire/server-addresses.ts';
import type { FlagValues } from './flags.ts';
import type { healthFlags } from './health-flags.ts';
import { shutdownSignal } from './lifecycle.ts';

/**
 * Runs `podpass health`.
 *
 * @throws PodpassError ERR_SERVER_UNREACHABLE and those of its configuration
 */
export async function runHealth(flags: FlagValues<typeof healthFlags>): Promise<void> {
  const clock = systemClock;
  const logger = createLogger({ level: flags.level, json: flags.jsonLog, clock });
  routeGrpcLog(logger);
  const files = { cert: flags.cert, key: flags.key, ca: flags.ca };
  const certificates = await loadCertificates({ files, clock, logger });
  const client = createKiamClient({
    addresses: createServerAddresses({ servers: flags.serverAddress, clock, logger }),
    channel: { credentials: certificates.channelCredentials() },
    clock,
  });
  try {
    const signal = shutdownSignal();
    logger.info(`healthy: ${await getServerHealth({ client, clock, timeoutMillis: flags.timeout, signal })}`);
  } finally {
    client.close();
  }
}
