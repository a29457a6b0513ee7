import { formatDuration } from '../base/duration.ts';
import { PodpassError } from '../base/errors.ts';
import type { PodView } from '../broker/broker.ts';
import { createFedNodes } from '../broker/fed-nodes.ts';
import { createNodeAddresses } from '../broker/node-addresses.ts';
import { createNodeBrokers } from '../broker/node-brokers.ts';
import { createNodeSource } from '../broker/node-source.ts';
import { createPodTable } from '../broker/pod-table.ts';
import { createTableBroker } from '../broker/table-broker.ts';
import { loadClusterConfig } from '../cluster/load-cluster-config.ts';
import type { AssumeRoleBackend } from '../credentials/assume-role-backend.ts';
import { createEc2Metadata } from '../credentials/ec2-metadata.ts';
import { createDecide } from '../roles/decide.ts';
import { resolveRoleArn } from '../roles/resolve-role-arn.ts';
import { createBrokerService } from '../wire/broker-service.ts';
import { countCalls } from '../wire/call-tally.ts';
import { reportCertificates } from '../wire/certificate-gauges.ts';
import { loadCertificates } from '../wire/certificates.ts';
import { routeGrpcLog } from '../wire/grpc-log.ts';
import { createGrpcServer } from '../wire/grpc-server.ts';
import { createHandshakeReport } from '../wire/handshake-report.ts';
import { createKiamService } from '../wire/kiam-service.ts';
import { certificateHealth, warnOfExpiry } from '../wire/warn-of-expiry.ts';
import { watchCertificates } from '../wire/watch-certificates.ts';
import { startAgentGate } from './agent-gate.ts';
import { connectToSts } from './connect-to-sts.ts';
import type { FlagValues } from './flags.ts';
import { untilAborted } from './lifecycle.ts';
import { type ProcessContext, startProcess } from './process-context.ts';
import { findRoleBaseArn } from './role-base-arn.ts';
import { readServerDecideOptions } from './server-decide.ts';
import type { serverFlags } from './server-flags.ts';
import { startDeciding } from './start-deciding.ts';
import { connectToCluster, watchCluster } from './watch-cluster.ts';

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
  const { clock, random, logger, metrics, health, signal } = context;
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
  const decideOptions = readServerDecideOptions(flags, backend.baseArn);
  const cluster = watchCluster({ context, connection, keys: decideOptions.keys });
  const { pods, whenSynced } = cluster;

  // The four questions.
  const table = createPodTable(metrics);
  const fedNodes = createFedNodes({
    clock,
    onChange(nodeName) {
      deciding.feedChanged(nodeName);
      metrics.feedNodes.set(fedNodes.held);
    },
  });
  const deciding = startDeciding({
    context,
    cluster,
    connection,
    backend,
    decide: createDecide(decideOptions),
    table,
    isFed: fedNodes.isFed,
    component: 'kiam.server',
    sessionMillis: flags.sessionDuration,
    refreshMillis: flags.sessionRefresh,
    callsPerSecond: flags.stsRate,
  });
  const answering = { table, clock, wanted: (view: PodView) => fedNodes.touch(view.nodeName) };
  const nodeAddresses = createNodeAddresses(pods);
  // Calls under way at the end may be waiting for a pod: the cluster is watched until the last of them has its answer.
  const serving = new AbortController();
  const agents = startAgentGate({
    ...flags,
    connection,
    clock,
    random,
    logger,
    metrics,
    pods,
    table,
    nodeAddresses,
    events: deciding.events,
    whenSynced,
    signal: serving.signal,
  });
  const { gate } = agents;

  // The doors.
  const source = createNodeSource({ table, fedNodes, nodeAddresses, whenSynced, clock });
  const maxStreamAgeMillis = flags.grpcMaxConnectionAgeDuration;
  const server = createGrpcServer({
    bind: flags.bind,
    credentials: certificates.serverCredentials(),
    onRefused: createHandshakeReport({ clock, logger, metrics }),
    services: [
      createBrokerService({
        source,
        clock,
        random,
        logger,
        ...(gate && { gate }),
        ...(maxStreamAgeMillis === 0 ? {} : { maxStreamAgeMillis }),
      }),
      createKiamService({
        broker: createTableBroker(answering),
        clock,
        health: () => health.report('live'),
        ...(gate && { scope: { gate, brokers: createNodeBrokers(answering) } }),
      }),
    ].map((service) => countCalls(service, metrics)),
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

  const watches = Promise.all([cluster.run(serving.signal), agents.ended]);
  await untilAborted(signal);
  logger.info('stopping server');
  const drained = await server.drain(drainMillis);
  if (!drained)
    logger.warn(`calls were still under way after ${formatDuration(drainMillis)} and were cut off`);
  serving.abort();
  await Promise.all([watches, deciding.stop()]);
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
