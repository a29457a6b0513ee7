import { formatDuration } from '../base/duration.ts';
import type { Broker } from '../broker/broker.ts';
import type { NodeSelector, PodSink } from '../broker/node-feed.ts';
import { createPodTable } from '../broker/pod-table.ts';
import { createTableBroker } from '../broker/table-broker.ts';
import type { ChannelSettings } from '../wire/channel.ts';
import {
  createRemoteFeed,
  type FeedStatus,
  type RemoteFeed,
  type RemoteFeedOptions,
} from '../wire/remote-feed.ts';
import type { ServerAddresses } from '../wire/server-addresses.ts';
import type { ProcessContext } from './process-context.ts';

export interface AgentMemoryOptions {
  readonly context: ProcessContext;
  readonly addresses: ServerAddresses;
  readonly channel: ChannelSettings;
  readonly node: NodeSelector;
  /** Default: gRPC as `channel` says. */
  readonly dial?: RemoteFeedOptions['dial'];
}

/** What an agent knows of its node's pods: fed by a server, and answered from. */
export interface AgentMemory {
  readonly feed: RemoteFeed;
  readonly broker: Broker;
  /** Whether the node's pods can be answered for. */
  readonly isReady: () => boolean;
}

/** Wires up the agent's half of the broker. It is fed from `feed.run` on. */
export function createAgentMemory({ context, dial, ...wiring }: AgentMemoryOptions): AgentMemory {
  const { clock, random, logger, metrics, health } = context;
  const table = createPodTable(metrics);
  const firstState = Promise.withResolvers<void>();
  const into: PodSink = { upsert: table.upsert, remove: table.remove, synced: firstState.resolve };
  const feed = createRemoteFeed({ ...wiring, into, clock, random, logger, metrics, ...(dial && { dial }) });
  let isPrimed = false;
  void firstState.promise.then(() => {
    isPrimed = true;
    logger.info({ pods: table.size }, "the node's pods are known");
  });
  const readiness = () => describeFeed(feed.status, isPrimed, clock.monotonic());
  health.add('ready', 'server', readiness);

  const broker = createTableBroker({
    table,
    clock,
    locate: async (address, waitMillis, lookup) => {
      await feed.find(address, { waitMillis, signal: lookup }).catch(() => {});
    },
  });
  return { feed, broker, isReady: () => readiness().ok };
}

/** An agent that once had its node's pods goes on answering from memory: it stays ready, and says since when alone. */
function describeFeed(status: FeedStatus, isPrimed: boolean, now: number): { ok: boolean; message: string } {
  const age = formatDuration(Math.round(now - status.since));
  switch (status.kind) {
    case 'connected':
      if (status.synced) return { ok: true, message: `connected to ${status.server.host} for ${age}` };
      return { ok: isPrimed, message: 'connected; the pods of the node are arriving' };
    case 'connecting': {
      const problem = status.problem === undefined ? '' : ` (${status.problem})`;
      return {
        ok: isPrimed,
        message: `no server for ${age}${problem}${isPrimed ? '; answering from memory' : ''}`,
      };
    }
    case 'kiam':
      return { ok: true, message: `connected to a kiam server for ${age}` };
  }
}
