import { formatDuration } from '../base/duration.ts';
import { PodpassError } from '../base/errors.ts';
import { loadClusterConfig } from '../cluster/load-cluster-config.ts';
import type { AssumeRoleBackend } from '../credentials/assume-role-backend.ts';
import { createEc2Metadata } from '../credentials/ec2-metadata.ts';
import { resolveRoleArn } from '../roles/resolve-role-arn.ts';
import { countCalls } from '../wire/call-tally.ts';
import { reportCertificates } from '../wire/certificate-gauges.ts';
import { loadCertificates } from '../wire/certificates.ts';
import { routeGrpcLog } from '../wire/grpc-log.ts';
import { createGrpcServer } from '../wire/grpc-server.ts';
import { createHandshakeReport } from '../wire/handshake-report.ts';
import { certificateHealth, warnOfExpiry } from '../wire/warn-of-expiry.ts';
import { watchCertificates } from '../wire/watch-certificates.ts';
import { connectToSts } from './connect-to-sts.ts';
import type { FlagValues } from './flags.ts';
import { untilAborted } from './lifecycle.ts';
import { type ProcessContext, startProcess } from './process-context.ts';
import { findRoleBaseArn } from './role-base-arn.ts';
import { createServerBroker } from './server-broker.ts';
import { readServerDecideOptions } from './server-decide.ts';
import type { serverFlags } from './server-flags.ts';
import { connectToCluster } from './watch-cluster.ts';

type ServerFlags = FlagValues<typeof serverFlags>;

/** How long calls may go on after the process was asked to end. Kubernetes kills after 30 s. */
const drainMillis = 10_000;

/**
 * Runs `podpass server` until it is asked to end. `notice` is what there is to say about flags that are not to be
 * given.
 *
 * @throws PodpassError for whatever of its configuration cannot be used
 */
export async function runServer(flags: ServerFlags, notice: string | undefined): Promise<void> {
  const context = await startProcess('server', flags, { notice });
  const { clock, logger, metrics, health, signal } = context;
  routeGrpcLog(logger);

  const files = { cert: flags.cert, key: flags.key, ca: flags.ca };
  const certificates = await loadCertificates({ files, clock, logger });
  watchCertificates({ certificates, files, clock, logger, signal });
  reportCertificates('server', certificates, metrics, clock);
  warnOfExpiry({ certificates, clock, logger, signal });
  health.add('ready', 'certificate', () => certificateHealth(certificates, clock));

  // What is known of AWS and of the cluster.
  const backend = await createBackend(flags, context);
  const config = await loadClusterConfig({
    env: process.env,
    clock,
    ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
  });
  const connection = connectToCluster(config, context);
  const serving = new AbortController();
  const broker = createServerBroker({
    context,
    connection,
    backend,
    decideOptions: readServerDecideOptions(flags, backend.baseArn),
    refreshMillis: flags.sessionRefresh,
    callsPerSecond: flags.stsRate,
    agentScope: flags.agentScope,
    agentServiceAccount: flags.agentServiceAccount,
    maxStreamAgeMillis: flags.grpcMaxConnectionAgeDuration,
    // Calls under way at the end may be waiting for a pod: the cluster is watched until the last of them has its answer.
    serving: serving.signal,
  });

  const server = createGrpcServer({
    bind: flags.bind,
    credentials: certificates.serverCredentials(),
    onRefused: createHandshakeReport({ clock, logger, metrics }),
    services: broker.services.map((service) => countCalls(service, metrics)),
    clock,
    connections: {
      keepaliveTime: flags.grpcKeepaliveTimeDuration,
      keepaliveTimeout: flags.grpcKeepaliveTimeoutDuration,
      maxIdle: flags.grpcMaxConnectionIdleDuration,
      maxAge: flags.grpcMaxConnectionAgeDuration,
      maxAgeGrace: flags.grpcMaxConnectionAgeGraceDuration,
    },
  });
  const port = await server.listen();
  logger.info({ bind: flags.bind, port }, `will serve on ${flags.bind}`);
  context.started();

  const watching = broker.run();
  await untilAborted(signal);
  logger.info('stopping server');
  const drained = await server.drain(drainMillis);
  if (!drained)
    logger.warn(`calls were still under way after ${formatDuration(drainMillis)} and were cut off`);
  serving.abort();
  await Promise.all([watching, broker.stop()]);
  backend.close();
  connection.close();
  await context.end();
}

/** STS as configured, and the base ARN that both the chain and the pods' roles are resolved with. */
async function createBackend(
  flags: ServerFlags,
  context: ProcessContext,
): Promise<AssumeRoleBackend & { readonly baseArn: string }> {
  const { clock, logger, signal } = context;
  const metadata = createEc2Metadata({ clock, endpoint: flags.metadataEndpoint });
  if (flags.roleBaseArnAutodetect) logger.info('detecting arn prefix');
  const baseArn = await findRoleBaseArn({ ...flags, metadata, signal });
  logger.info(
    { baseArn },
    flags.roleBaseArnAutodetect ? `using detected prefix: ${baseArn}` : 'role base ARN',
  );

  const first = flags.assumeRoleArn === undefined ? undefined : resolveRoleArn(flags.assumeRoleArn, baseArn);
  if (first?.kind === 'invalid')
    throw new PodpassError('ERR_ROLE_ARN', `--assume-role-arn: ${first.problem}`);
  const backend = connectToSts({
    context,
    sessionMillis: flags.sessionDuration,
    region: flags.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION,
    endpoint: flags.stsEndpoint,
    ...(first === undefined ? {} : { assumeRoleArn: first.value }),
  });
  return { ...backend, baseArn };
}
