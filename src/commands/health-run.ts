import { systemClock } from '../base/clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { loadCertificates } from '../wire/certificates.ts';
import { createExplainConnection, type ExplainConnection } from '../wire/explain-connection.ts';
import { routeGrpcLog } from '../wire/grpc-log.ts';
import { createKiamClient } from '../wire/kiam-client.ts';
import { getServerHealth } from '../wire/kiam-health.ts';
import { createServerAddresses, type ServerAddresses } from '../wire/server-addresses.ts';
import type { FlagValues } from './flags.ts';
import type { healthFlags } from './health-flags.ts';
import { shutdownSignal, untilDone } from './lifecycle.ts';

/**
 * Runs `podpass health`. `notice` is one line about flags that are not to be given.
 *
 * @throws PodpassError ERR_SERVER_UNREACHABLE and those of its configuration
 */
export async function runHealth(flags: FlagValues<typeof healthFlags>, notice?: string): Promise<void> {
  const clock = systemClock;
  const logger = createLogger({ level: flags.level, json: flags.jsonLog, clock });
  routeGrpcLog(logger);
  if (notice !== undefined) logger.warn(notice);
  const files = { cert: flags.cert, key: flags.key, ca: flags.ca };
  const certificates = await loadCertificates({ files, clock, logger });
  const addresses = createServerAddresses({ servers: flags.serverAddress, clock, logger });
  const explain = createExplainConnection(certificates, clock);
  const client = createKiamClient({
    addresses,
    channel: {
      credentials: certificates.channelCredentials(),
      keepaliveTime: flags.grpcKeepaliveTimeDuration,
      keepaliveTimeout: flags.grpcKeepaliveTimeoutDuration,
    },
    clock,
  });
  try {
    const signal = shutdownSignal();
    const asked = getServerHealth({
      client,
      explain: (until) => explainFirst(addresses, explain, until),
      clock,
      connectMillis: flags.gatewayTimeoutCreation,
      timeoutMillis: flags.timeout,
      signal,
    });
    logger.info(`healthy: ${await untilDone(asked)}`);
  } finally {
    client.close();
  }
}

/** What is wrong with the first server of which something can be said. */
async function explainFirst(
  addresses: ServerAddresses,
  explain: ExplainConnection,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const server of await addresses.list(signal)) {
    const fault = await explain(server, signal);
    if (fault !== undefined) return `${server.host} (${server.ip}:${server.port}): ${fault}`;
  }
  return undefined;
}
