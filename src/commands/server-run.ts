import { formatDuration } from '../base/duration.ts';
import { PodpassError } from '../base/errors.ts';
import { startAnnouncer } from '../broker/announcer.ts';
import type { PodView } from '../broker/broker.ts';
import { createDecider } from '../broker/decider.ts';
import { createFedNodes } from '../broker/fed-nodes.ts';
import { createNodeAddresses } from '../broker/node-addresses.ts';
import { createNodeBrokers } from '../broker/node-brokers.ts';
import { createNodeSource } from '../broker/node-source.ts';
import { createPodTable } from '../broker/pod-table.ts';
import { createTableBroker } from '../broker/table-broker.ts';
import { createClusterConnection } from '../cluster/create-connection.ts';
import { createEventRecorder } from '../cluster/event-recorder.ts';
import { loadClusterConfig } from '../cluster/load-cluster-config.ts';
import { watchNamespaces } from '../cluster/namespaces.ts';
import { watchPods } from '../cluster/pods.ts';
import { type AssumeRoleBackend, createAssumeRoleBackend } from '../credentials/assume-role-backend.ts';
import { createEc2Metadata } from '../credentials/ec2-metadata.ts';
import { createSessionCache } from '../credentials/session-cache.ts';
import { capSessionDuration } from '../credentials/session-duration.ts';
import {
  defaultAnnotationKeys,
  keptNamespaceAnnotations,
  keptPodAnnotations,
} from '../roles/annotation-keys.ts';
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
import type { FlagValues } from './flags.ts';
import { untilAborted } from './lifecycle.ts';
import { type ProcessContext, startProcess } from './process-context.ts';
import { findRoleBaseArn } from './role-base-arn.ts';
import type { serverFlags } from './server-flags.ts';
import { addWatchCheck, whenLive } from './watch-health.ts';

type ServerFlags = FlagValues<typeof serverFlags>;

/** How long calls may go on after the process was asked to end. Kubernetes kills after 30 s. */
const drainMillis = 10_000;
/** How long what is to be said to Kubernetes may take then. */
const eventMillis = 2_000;

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

  // What is known of AWS.
  const backend = await createBackend(flags, context);
  const sessions = createSessionCache({
    backend,
    clock,
    random,
    logger,
    metrics,
    sessionMillis: flags.sessionDuration,
    refreshMillis: flags.sessionRefresh,
    callsPerSecond: flags.stsRate,
    burst: 2 * flags.stsRate,
  });

  // What is known of the cluster.
  const config = await loadClusterConfig({
    env: process.env,
    clock,
    ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
  });
  logger.info({ server: config.server, source: config.source }, 'using the Kubernetes API');
  const connection = createClusterConnection({ config, clock, logger });
  const keys = defaultAnnotationKeys;
  const watching = { connection, clock, random, logger, metrics };
  const pods = watchPods({ ...watching, keepAnnotations: keptPodAnnotations(keys) });
  const namespaces = watchNamespaces({ ...watching, keepAnnotations: keptNamespaceAnnotations(keys) });
  addWatchCheck(health, 'pod watch', pods, clock);
  addWatchCheck(health, 'namespace watch', namespaces, clock);

  // The four questions.
  const table = createPodTable(metrics);
  const fedNodes = createFedNodes({
    clock,
    onChange(nodeName) {
      decider.feedChanged(nodeName);
      announcer.feedChanged(nodeName);
      metrics.feedNodes.set(fedNodes.held);
    },
  });
  const decider = createDecider({
    pods,
    namespaces,
    decide: createDecide({
      baseArn: backend.baseArn,
      defaultSessionName: flags.session,
      keys,
      strictNamespaceRegexp: !flags.disableStrictNamespaceRegexp,
    }),
    sessions,
    table,
    isFed: fedNodes.isFed,
    clock,
    metrics,
  });
  const events = createEventRecorder({
    connection,
    component: 'kiam.server',
    clock,
    random,
    logger,
    metrics,
  });
  const announcer = startAnnouncer({
    table,
    isFed: fedNodes.isFed,
    logger,
    record: ({ pod, reason, message }) =>
      events.record({
        object: { kind: 'Pod', apiVersion: 'v1', namespace: pod.namespace, name: pod.name, uid: pod.uid },
        type: 'Warning',
        reason,
        message,
      }),
  });
  const answering = { table, clock, wanted: (view: PodView) => fedNodes.touch(view.nodeName) };
  const nodeAddresses = createNodeAddresses(pods);
  const stopDeciding = decider.start();

  const whenSynced = Promise.all([whenLive(pods), whenLive(namespaces)]).then(() => {});
  const agents = startAgentGate({
    ...flags,
    ...watching,
    pods,
    table,
    nodeAddresses,
    events,
    whenSynced,
    signal,
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

  const watches = Promise.all([pods.run(signal), namespaces.run(signal), agents.ended]);
  void whenLive(pods).then(() => logger.info({ pods: pods.size }, 'started cache controller'));
  void whenLive(namespaces).then(() =>
    logger.info({ namespaces: namespaces.size }, 'started namespace cache controller'),
  );

  await untilAborted(signal);
  logger.info('stopping server');
  const drained = await server.drain(drainMillis);
  if (!drained)
    logger.warn(`calls were still under way after ${formatDuration(drainMillis)} and were cut off`);
  announcer.stop();
  stopDeciding();
  sessions.close();
  await Promise.all([watches, events.close(eventMillis)]);
  backend.close();
  connection.close();
  await context.end();
}

/** STS as configured, and the base ARN that both the chain and the pods' roles are resolved with. */
async function createBackend(
  flags: ServerFlags,
  { clock, logger, signal }: ProcessContext,
): Promise<AssumeRoleBackend & { readonly baseArn: string }> {
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
  const region = flags.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  const backend = createAssumeRoleBackend({
    clock,
    sessionSeconds: flags.sessionDuration / 1_000,
    ...(region === undefined ? {} : { region }),
    ...(flags.stsEndpoint === undefined ? {} : { endpoint: flags.stsEndpoint }),
    ...(first === undefined ? {} : { assumeRoleArn: first.value }),
  });

  // A line for whoever sets this up. STS being away now is no reason not to start.
  void backend.describeCaller(signal).then(
    (outcome) => {
      if (outcome.kind !== 'known') {
        logger.warn(
          { code: outcome.code },
          `cannot tell whose credentials are used to call STS: ${outcome.message}`,
        );
        return;
      }
      const { arn, chained } = outcome.caller;
      logger.info({ arn }, 'calling STS as');
      const { note } = capSessionDuration({ requestedSeconds: flags.sessionDuration / 1_000, chained });
      if (note !== undefined) logger.warn(note);
    },
    () => {},
  );
  return { ...backend, baseArn };
}
