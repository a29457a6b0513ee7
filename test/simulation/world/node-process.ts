import { credentials } from '@grpc/grpc-js';
import { createPodTable } from '../../../src/broker/pod-table.ts';
import { createTableBroker } from '../../../src/broker/table-broker.ts';
import { createAgentMemory } from '../../../src/commands/agent-memory.ts';
import { startDeciding } from '../../../src/commands/start-deciding.ts';
import { watchCluster } from '../../../src/commands/watch-cluster.ts';
import { defaultAnnotationKeys } from '../../../src/roles/annotation-keys.ts';
import { createDecide } from '../../../src/roles/decide.ts';
import { createServerAddresses } from '../../../src/wire/server-addresses.ts';
import { type AskDoor, openDoor } from './door-client.ts';
import { dialBroker } from './grpc.ts';
import { arnPrefix, connectProcess, createProcess, type Runtime, type SimProcess } from './runtime.ts';
import type { ServerProcess } from './server-process.ts';

/** What answers the pods of one node. */
export interface NodeProcess extends SimProcess {
  readonly ask: AskDoor;
  readonly isReady: () => boolean;
}

export interface AgentOptions {
  readonly name: string;
  readonly node: string;
  readonly ip: string;
  /** The servers that run, by their addresses. */
  readonly servers: () => ReadonlyMap<string, ServerProcess>;
  /** What kubelet gave to the agent's pod; undefined: its manifest mounts none. */
  readonly token: () => string | undefined;
}

/** Starts an agent, as `podpass agent` wires it. */
export function startAgent(runtime: Runtime, options: AgentOptions): NodeProcess {
  const { network, recorder } = runtime;
  const { name, node, ip, servers, token } = options;
  const process = createProcess(runtime, name, node);
  const { context } = process;
  const memory = createAgentMemory({
    context,
    addresses: createServerAddresses({
      servers: ['podpass-server:443'],
      clock: process.clock,
      logger: context.logger,
      resolve: async () => {
        const found = [...servers().keys()];
        if (found.length === 0) throw new Error('ENOTFOUND');
        return found;
      },
    }),
    channel: { credentials: credentials.createInsecure(), token: { current: token } },
    node: { nodeName: node },
    dial({ ip: address }) {
      const to = servers().get(address);
      return dialBroker({
        network,
        from: process,
        ip,
        to: to ?? nobody,
        moment: recorder.moment,
        onDelivery({ asOf, pods }) {
          if (!pods) recorder.told(name, to?.name ?? '', asOf);
          for (const pod of pods ?? []) recorder.toldOf(name, to?.name ?? '', asOf, pod);
        },
      });
    },
  });
  void memory.feed.run(process.stopping.signal);
  return Object.assign(process, {
    isListening: true,
    ask: openDoor(runtime, process, memory.broker),
    isReady: memory.isReady,
  });
}

/** Where a server was. */
const nobody = {
  name: 'nobody',
  place: 'nowhere',
  isListening: false,
  isDead: true,
  streams: new Set<() => void>(),
} as unknown as ServerProcess;

/** Starts a standalone node, as `podpass standalone` wires it. */
export function startStandalone(runtime: Runtime, name: string, node: string): NodeProcess {
  const { sts, settings } = runtime;
  const process = createProcess(runtime, name, node);
  const { context } = process;
  const connection = connectProcess(runtime, process, () => {});
  const cluster = watchCluster({ context, connection, keys: defaultAnnotationKeys, nodeName: node });
  const table = createPodTable(context.metrics);
  startDeciding({
    context,
    cluster,
    connection,
    backend: sts.backendFor(process, process.clock),
    decide: createDecide({
      baseArn: arnPrefix,
      defaultSessionName: 'kiam',
      sessionNameFormat: 'kube2iam',
      keys: defaultAnnotationKeys,
      strictNamespaceRegexp: true,
      allowedRolesFormat: 'glob',
      advise: 'allowedRoles',
    }),
    table,
    isFed: () => true,
    component: 'podpass.standalone',
    callsPerSecond: settings.callsPerSecond,
  });
  let isSynced = false;
  void cluster.whenSynced.then(() => {
    isSynced = true;
  });
  void cluster.run(process.stopping.signal);
  return Object.assign(process, {
    isListening: true,
    ask: openDoor(runtime, process, createTableBroker({ table, clock: process.clock })),
    isReady: () => isSynced,
  });
}
