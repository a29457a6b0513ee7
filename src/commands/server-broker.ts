import type { PodView } from '../broker/broker.ts';
import { createCurrency } from '../broker/currency.ts';
import { createFedNodes } from '../broker/fed-nodes.ts';
import { createNodeAddresses } from '../broker/node-addresses.ts';
import { createNodeBrokers } from '../broker/node-brokers.ts';
import { createNodeSource } from '../broker/node-source.ts';
import { createPodTable } from '../broker/pod-table.ts';
import { createTableBroker } from '../broker/table-broker.ts';
import type { ClusterConnection } from '../cluster/connection.ts';
import type { StsBackend } from '../credentials/session.ts';
import { createDecide, type DecideOptions } from '../roles/decide.ts';
import { createBrokerService } from '../wire/broker-service.ts';
import { createKiamService } from '../wire/kiam-service.ts';
import type { GrpcService } from '../wire/service.ts';
import { startAgentGate } from './agent-gate.ts';
import type { ProcessContext } from './process-context.ts';
import { startDeciding } from './start-deciding.ts';
import { watchCluster } from './watch-cluster.ts';

export interface ServerBrokerOptions {
  readonly context: ProcessContext;
  readonly connection: ClusterConnection;
  readonly backend: StsBackend;
  readonly decideOptions: DecideOptions;
  /** Credentials are fetched again when this is left of them, if half of them is not over sooner. */
  readonly refreshMillis: number;
  readonly callsPerSecond: number;
  readonly agentScope: 'auto' | 'enforce' | 'off';
  readonly agentServiceAccount: readonly string[];
  /** Streams end at about this age, so that agents look again which servers there are. 0: never. */
  readonly maxStreamAgeMillis: number;
  /** Aborts when the last call has its answer. */
  readonly serving: AbortSignal;
}

/** A server without the network: the four questions, and the two services that answer agents. */
export interface ServerBroker {
  readonly services: readonly GrpcService[];
  /** Watches the cluster until `serving` aborts. */
  run(): Promise<void>;
  /** Decides nothing more, and lets go of all sessions. */
  stop(): Promise<void>;
}

/** @throws PodpassError ERR_USAGE */
export function createServerBroker(options: ServerBrokerOptions): ServerBroker {
  const { context, connection, backend, decideOptions, maxStreamAgeMillis, serving } = options;
  const { clock, random, logger, metrics, health } = context;
  const cluster = watchCluster({ context, connection, keys: decideOptions.keys });
  const { pods, whenSynced } = cluster;

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
    refreshMillis: options.refreshMillis,
    callsPerSecond: options.callsPerSecond,
  });
  const answering = { table, clock, wanted: (view: PodView) => fedNodes.touch(view.nodeName) };
  const nodeAddresses = createNodeAddresses(pods);
  const agents = startAgentGate({
    agentScope: options.agentScope,
    agentServiceAccount: options.agentServiceAccount,
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
    signal: serving,
  });
  const { gate } = agents;

  const source = createNodeSource({ table, fedNodes, nodeAddresses, whenSynced, clock });
  return {
    services: [
      createBrokerService({
        source,
        currency: createCurrency(cluster),
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
    ],
    async run() {
      await Promise.all([cluster.run(serving), agents.ended]);
    },
    stop: deciding.stop,
  };
}
