import { readFile } from 'node:fs/promises';
import { PodpassError } from '../base/errors.ts';
import type { NodeSelector } from '../broker/node-feed.ts';
import { deriveTokenKey } from '../metadata/session-token.ts';
import type { Firewall } from '../node/firewall.ts';
import { createAgentBroker } from '../wire/agent-broker.ts';
import { loadAgentToken } from '../wire/agent-token.ts';
import { createCallCounter } from '../wire/call-tally.ts';
import { reportCertificates } from '../wire/certificate-gauges.ts';
import { loadCertificates } from '../wire/certificates.ts';
import type { ChannelSettings } from '../wire/channel.ts';
import { createExplainConnection } from '../wire/explain-connection.ts';
import { routeGrpcLog } from '../wire/grpc-log.ts';
import { createKiamBroker } from '../wire/kiam-broker.ts';
import { createKiamClient } from '../wire/kiam-client.ts';
import { createServerAddresses } from '../wire/server-addresses.ts';
import { certificateHealth, warnOfExpiry } from '../wire/warn-of-expiry.ts';
import { watchCertificates } from '../wire/watch-certificates.ts';
import { redirectOf, startFirewall } from './agent-firewall.ts';
import { type agentFlags, defaultTokenFile } from './agent-flags.ts';
import { createAgentMemory } from './agent-memory.ts';
import type { FlagValues } from './flags.ts';
import { untilAborted } from './lifecycle.ts';
import { openDoor } from './open-door.ts';
import { startProcess } from './process-context.ts';

type AgentFlags = FlagValues<typeof agentFlags>;

/**
 * Runs `podpass agent` until it is asked to end. `notice` is what there is to say about flags that are not to be given.
 *
 * @throws PodpassError for whatever of its configuration cannot be used
 */
export async function runAgent(flags: AgentFlags, notice: string | undefined): Promise<void> {
  const node = nodeOf(flags);
  const redirect = flags.iptables ? redirectOf(flags) : undefined;
  let firewall: Firewall | undefined;
  const context = await startProcess('agent', flags, {
    notice,
    sharesPorts: true,
    first: async (basics) => {
      if (redirect) firewall = await startFirewall(redirect, flags, basics);
    },
  });
  const { clock, random, logger, metrics, health, signal } = context;
  routeGrpcLog(logger);

  const files = { cert: flags.cert, key: flags.key, ca: flags.ca };
  const certificates = await loadCertificates({ files, clock, logger });
  watchCertificates({ certificates, files, clock, logger, signal });
  reportCertificates('client', certificates, metrics, clock);
  warnOfExpiry({ certificates, clock, logger, signal });
  // An agent goes on answering from memory: this is for whoever reads the report.
  health.add('ready', 'certificate', () => ({ ...certificateHealth(certificates, clock), ok: true }));

  const token = await loadAgentToken({
    path: flags.tokenFile ?? defaultTokenFile,
    isRequired: flags.tokenFile !== undefined,
    clock,
    logger,
  });
  void token.run(signal);

  const addresses = createServerAddresses({ servers: flags.serverAddress, clock, logger });
  const channel: ChannelSettings = {
    credentials: certificates.channelCredentials(),
    explain: createExplainConnection(certificates, clock),
    interceptors: [createCallCounter(metrics)],
    token,
    keepaliveTime: flags.grpcKeepaliveTimeDuration,
    keepaliveTimeout: flags.grpcKeepaliveTimeoutDuration,
  };
  // The node's pods, as the server tells of them.
  const { feed, broker: fed, isReady } = createAgentMemory({ context, addresses, channel, node });
  // For as long as the servers are kiam's, they are asked for each request.
  const kiamClient = createKiamClient({ addresses, channel, clock });
  const kiam = createKiamBroker({ client: kiamClient, clock, random, logger });

  // The door.
  const broker = createAgentBroker({ feed, fed, kiam });
  const running = feed.run(signal);
  const door = await openDoor({
    context,
    broker,
    host: flags.listenHost,
    port: flags.port,
    imds: flags.imds,
    podWaitMillis: flags.podWait,
    allowRoute: flags.allowRouteRegexp,
    metadataEndpoint: flags.metadataEndpoint,
    allowIpQuery: flags.allowIpQuery,
    // The key outlives restarts and is the same in every agent of the node, because their private key is.
    tokenKey: deriveTokenKey(await readFile(flags.key)),
    isReady,
    firewall,
    removesRule: flags.iptablesRemove,
  });
  context.started();

  await untilAborted(signal);
  logger.info('stopping agent');
  await Promise.all([door.close(), running]);
  kiamClient.close();
  await context.end();
}

/** @throws PodpassError ERR_USAGE */
function nodeOf({ nodeName, host }: AgentFlags): NodeSelector {
  if (nodeName !== undefined) return { nodeName };
  const [hostIp] = host;
  if (hostIp !== undefined) return { hostIp };
  throw new PodpassError(
    'ERR_USAGE',
    'neither --node-name nor --host is given, so the server cannot be told which pods to send. Set NODE_NAME from ' +
      'spec.nodeName, or HOST_IP from status.podIP, in the manifest of the agent.',
  );
}
