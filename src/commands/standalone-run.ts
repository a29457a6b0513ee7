import type { PodView } from '../broker/broker.ts';
import { describeStore } from '../broker/describe-store.ts';
import { createPodTable } from '../broker/pod-table.ts';
import { createTableBroker } from '../broker/table-broker.ts';
import type { ClusterConfig } from '../cluster/cluster-config.ts';
import { findNode } from '../cluster/find-node.ts';
import { loadClusterConfig } from '../cluster/load-cluster-config.ts';
import { tokenConfig } from '../cluster/token-config.ts';
import { withoutVerification } from '../cluster/without-verification.ts';
import { createEc2Metadata } from '../credentials/ec2-metadata.ts';
import { defaultRouteInterfaces } from '../node/default-route-interfaces.ts';
import type { Firewall } from '../node/firewall.ts';
import type { Redirect } from '../node/redirect.ts';
import { createDecide } from '../roles/decide.ts';
import { redirectOf, startFirewall } from './agent-firewall.ts';
import { connectToSts } from './connect-to-sts.ts';
import { findRegion } from './find-region.ts';
import { findRoleDefaults } from './find-role-defaults.ts';
import { untilAborted } from './lifecycle.ts';
import { loadTokenKey } from './load-token-key.ts';
import { openDoor } from './open-door.ts';
import { type ProcessContext, startProcess } from './process-context.ts';
import { reportAsKube2iam } from './report-as-kube2iam.ts';
import { readDecideOptions } from './standalone-decide.ts';
import { readStandaloneSettings, type StandaloneFlags } from './standalone-settings.ts';
import { startDeciding } from './start-deciding.ts';
import { connectToCluster, watchCluster } from './watch-cluster.ts';

/**
 * Runs `podpass standalone` until it is asked to end: agent and server of one node in one process, with no gRPC between
 * them. `notice` is what there is to say about flags that are not to be given.
 *
 * @throws PodpassError for whatever of its configuration cannot be used
 */
export async function runStandalone(flags: StandaloneFlags, notice: string | undefined): Promise<void> {
  const settings = readStandaloneSettings(flags);
  const redirect = flags.iptables ? redirectFor(flags) : undefined;
  let firewall: Firewall | undefined;
  const context = await startProcess('standalone', settings.process, {
    notice,
    sharesPorts: true,
    first: async (basics) => {
      for (const note of settings.notes) basics.logger.warn(note);
      if (redirect) firewall = await startFirewall(redirect, flags, basics);
    },
  });
  const { clock, logger, metrics, signal } = context;

  // What is known of AWS. Nothing here waits for the EC2 metadata service but what is to be discovered from it.
  const ec2 = {
    clock,
    // kube2iam's own questions go where the variable of the AWS SDKs says, if it is set.
    ...(process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT ? {} : { endpoint: settings.metadataEndpoint }),
  };
  const metadata = createEc2Metadata(ec2);
  const [region, defaults] = await Promise.all([
    findRegion({
      given: flags.region,
      env: process.env,
      metadata: createEc2Metadata({ ...ec2, timeoutMillis: 2_000 }),
      logger,
      signal,
    }),
    findRoleDefaults({ ...flags, metadata, signal }),
  ]);
  logger.info({ ...defaults }, 'base ARN and default role');
  const decideOptions = readDecideOptions(flags, defaults);
  const { sessionMillis } = settings;
  const report = reportAsKube2iam(context);
  const backend = report.countCalls(
    connectToSts({ context, sessionMillis, region, endpoint: flags.stsEndpoint }),
  );

  // What is known of the cluster: this node's pods, and nobody else's.
  const connection = connectToCluster(await clusterConfigOf(flags, context), context);
  const nodeName = flags.node ?? (await findNode(connection, flags.hostIp[0] ?? '', signal));
  logger.info({ node: nodeName }, 'serving the pods of this node');
  const { keys } = decideOptions;
  const cluster = watchCluster({ context, connection, keys, nodeName });

  // The four questions.
  const table = createPodTable(metrics);
  const deciding = startDeciding({
    context,
    cluster,
    connection,
    backend,
    decide: createDecide(decideOptions),
    table,
    isFed: () => true,
    component: 'podpass.standalone',
    callsPerSecond: flags.stsRate,
  });
  const broker = report.countAnswers(createTableBroker({ table, clock }));
  if (flags.debug) {
    context.localPages.set('/debug/store', () =>
      describeStore(table.values(), cluster.namespaces.values(), flags.namespaceKey),
    );
  }

  // The door.
  let isSynced = false;
  void cluster.whenSynced.then(() => {
    isSynced = true;
  });
  // Requests under way at the end may be waiting for a pod.
  const serving = new AbortController();
  const watching = cluster.run(serving.signal);
  const door = await openDoor({
    context,
    broker,
    host: flags.listenHost,
    port: flags.appPort,
    imds: flags.imds,
    podWaitMillis: flags.podWait,
    allowRoute: flags.allowRouteRegexp,
    metadataEndpoint: settings.metadataEndpoint,
    tokenKey: await loadTokenKey(flags.tokenKeyFile, (problem) => context.logger.warn(problem)),
    isReady: () => isSynced && !isAnyPending(table.values()),
    firewall,
    removesRule: flags.iptablesRemove,
  });
  context.started();

  await untilAborted(signal);
  logger.info('stopping standalone');
  // Requests are answered to the end, so what answers them goes last.
  await door.close();
  serving.abort();
  await Promise.all([watching, deciding.stop()]);
  backend.close();
  connection.close();
  await context.end();
}

/** @throws PodpassError ERR_USAGE */
function redirectFor(flags: StandaloneFlags): Redirect {
  const given = flags.hostInterface.length > 0 ? flags.hostInterface : defaultInterfaces();
  return redirectOf(
    { ...flags, hostInterface: given, host: flags.hostIp, port: flags.appPort },
    { host: 'host-ip', port: 'app-port' },
  );
}

/** kube2iam's `docker0` is on few nodes of today. Pods are behind all that does not lead out of the node. */
function defaultInterfaces(): readonly string[] {
  const outward = defaultRouteInterfaces();
  return outward.length === 0 ? ['+'] : outward.map((name) => `!${name}`);
}

/** @throws PodpassError ERR_CLUSTER_CONFIG */
async function clusterConfigOf(flags: StandaloneFlags, context: ProcessContext): Promise<ClusterConfig> {
  const { clock, logger } = context;
  const { kubeconfig, apiServer, apiToken, insecure } = flags;
  if ((apiServer === undefined) !== (apiToken === undefined))
    logger.warn('--api-server and --api-token have an effect only together; one of them is not given');
  const config =
    kubeconfig === undefined && apiServer !== undefined && apiToken !== undefined
      ? tokenConfig({ server: apiServer, token: apiToken })
      : await loadClusterConfig({
          env: process.env,
          clock,
          ...(kubeconfig === undefined ? {} : { kubeconfig }),
        });
  if (!insecure) return config;
  logger.warn('--insecure: whoever answers at the address of the Kubernetes API is believed');
  return withoutVerification(config);
}

/** Whether a request would have to wait for STS. */
function isAnyPending(views: Iterable<PodView>): boolean {
  for (const { decision, session } of views)
    if (decision.kind === 'granted' && session.kind === 'pending') return true;
  return false;
}
