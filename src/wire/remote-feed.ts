import { connectivityState, status } from '@grpc/grpc-js';
import { createBackoff } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { PodView } from '../broker/broker.ts';
import type { NodeSelector, PodSink } from '../broker/node-feed.ts';
import { createOccasion } from '../cluster/occasion.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type ChannelSettings, callMetadata, channelTo } from './channel.ts';
import { createConnectionProblems } from './connection-problems.ts';
import { createCurrencyMemory } from './currency-memory.ts';
import { BrokerClient } from './gen/podpass.ts';
import { type NodeWatchEnd, type NodeWatchListener, watchNode } from './node-watch.ts';
import { createPodFinder, type FindRequest } from './pod-finder.ts';
import { createPodLedger } from './pod-ledger.ts';
import type { ServerAddress, ServerAddresses } from './server-addresses.ts';
import { createServerRoster } from './server-roster.ts';

export interface RemoteFeedOptions {
  readonly addresses: ServerAddresses;
  readonly channel: ChannelSettings;
  readonly node: NodeSelector;
  readonly into: PodSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How long one server may take to accept the stream, handshake included, in milliseconds. Default 3 s. */
  readonly openMillis?: number;
  /** Makes the client of one server. Default: over a gRPC channel as `channel` says. */
  readonly dial?: (server: ServerAddress) => BrokerClient;
}

/** Times are monotonic milliseconds. */
export type FeedStatus =
  | { readonly kind: 'connecting'; readonly since: number; readonly problem?: string }
  | {
      readonly kind: 'connected';
      readonly since: number;
      readonly server: ServerAddress;
      /** The whole state has been told. */
      readonly synced: boolean;
      readonly lastMessage: number;
    }
  /** Servers answer, and all that do are kiam's: they know kiam.KiamService alone. */
  | { readonly kind: 'kiam'; readonly since: number };

/** The agent's end of `podpass.v1.Broker`. */
export interface RemoteFeed {
  /**
   * Keeps a stream from one server open until the signal aborts: on a break everything is kept and another stream is
   * opened, from the same server or the next.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Asks the server for the pods that claim an address, puts them into the sink and resolves with them. With nobody to
   * ask within the time, or no pod, resolves with none. Rejects only when the signal aborts.
   */
  find(address: string, request: FindRequest): Promise<readonly PodView[]>;
  readonly status: FeedStatus;
  /** Whether any server, podpass' or kiam's, has ever answered. */
  readonly connectedOnce: boolean;
}

/** A stream that lived this long was a good one: the next wait is a short one again. Milliseconds. */
const goodStreamMillis = 5_000;
/** With kiam's servers alone, the question whether one has been replaced is asked this often. Milliseconds. */
const kiamRetryMillis = 10_000;

export function createRemoteFeed(options: RemoteFeedOptions): RemoteFeed {
  const { addresses, channel, node, into, clock, random, logger, metrics, openMillis = 3_000 } = options;
  const { dial = (server) => new BrokerClient(...channelTo(server, channel)) } = options;
  const roster = createServerRoster(addresses, clock);
  const ledger = createPodLedger(into, clock);
  const finder = createPodFinder({ node, metadata: () => callMetadata(channel), ledger, clock, logger });
  const backoff = createBackoff({ initial: 100, max: 5_000 }, random);
  const currency = createCurrencyMemory(clock);
  const mayWarn = createOccasion(clock, 60_000);
  let current: FeedStatus = { kind: 'connecting', since: clock.monotonic() };
  let connectedOnce = false;
  /** Clients given up on while they were connecting, by target: such a connection cannot be closed, only used. */
  const connecting = new Map<string, BrokerClient>();
  const problems = createConnectionProblems({ clock, logger, explain: channel.explain });

  async function streamFrom(
    server: ServerAddress,
    inTouch: boolean,
    signal: AbortSignal,
  ): Promise<NodeWatchEnd> {
    const target = `${server.ip} ${server.port}`;
    const client = connecting.get(target) ?? dial(server);
    connecting.delete(target);
    const opened = clock.monotonic();
    try {
      const end = await watchNode({
        client,
        node,
        metadata: callMetadata(channel),
        requirement: currency.requirement(inTouch),
        clock,
        openMillis,
        signal,
        listener: listenTo(server, client),
      });
      if (end.opened) onBreak(server, end, clock.monotonic() - opened, signal);
      return end;
    } finally {
      finder.disconnected(client);
      // A kiam server accepts connections long before it answers: each try would leave one behind.
      const state = client.getChannel().getConnectivityState(false);
      if (state === connectivityState.CONNECTING && !signal.aborted) connecting.set(target, client);
      else client.close();
    }
  }

  function listenTo(server: ServerAddress, client: BrokerClient): NodeWatchListener {
    const since = clock.monotonic();
    function heard(synced: boolean): void {
      current = { kind: 'connected', since, server, synced, lastMessage: clock.monotonic() };
    }
    const isSynced = () => current.kind === 'connected' && current.synced;
    return {
      opened() {
        connectedOnce = true;
        currency.accepted();
        problems.forget();
        heard(false);
        metrics.feedConnected.set(1);
        ledger.begin();
        finder.connected(client);
        logger.info(server, 'connected to the server');
      },
      pod(view) {
        heard(isSynced());
        ledger.upsert(view);
      },
      removed(uid) {
        heard(isSynced());
        ledger.remove(uid);
      },
      synced() {
        heard(true);
        ledger.synced();
      },
      seen: currency.note,
      malformed(problem, uid) {
        heard(isSynced());
        logger.error(
          { ...server, 'pod.uid': uid },
          `the server sent something that cannot be used: ${problem}`,
        );
        // What was known of the pod is out of date, so it is answered as a pod that is not known.
        if (uid) ledger.remove(uid);
      },
    };
  }

  function onBreak(server: ServerAddress, end: NodeWatchEnd, lived: number, signal: AbortSignal): void {
    ledger.broke();
    metrics.feedConnected.set(0);
    current = { kind: 'connecting', since: clock.monotonic(), problem: end.details };
    if (signal.aborted) return;
    metrics.feedReconnects.inc();
    if (lived >= goodStreamMillis) backoff.reset();
    if (end.code === status.OK) {
      logger.info(server, 'the server ended the stream as planned; opening another');
      return;
    }
    roster.failed(server);
    logger.warn(
      { ...server, code: status[end.code] },
      `lost the server, serving from memory meanwhile: ${end.details}`,
    );
  }

  /** Tries one server after the other. Returns how long to wait before the next round, in milliseconds. */
  async function round(signal: AbortSignal): Promise<number> {
    const servers = await roster.list(signal);
    let problem = 'no server name can be resolved';
    let kiamAnswered = false;
    let failed = false;
    let isRefused = false;
    const outOfTouch: ServerAddress[] = [];
    for (const server of servers) {
      const end = await streamFrom(server, true, signal);
      signal.throwIfAborted();
      if (end.opened) return backoff.next();
      if (end.code === status.FAILED_PRECONDITION || end.code === status.OUT_OF_RANGE) {
        connectedOnce = true;
        isRefused = true;
        if (end.code === status.FAILED_PRECONDITION) outOfTouch.push(server);
        else currency.refused();
        onNotCurrent(server, end.details);
        continue;
      }
      if (end.code === status.UNIMPLEMENTED) {
        kiamAnswered = true;
        continue;
      }
      roster.failed(server);
      problem = `${server.host} (${server.ip}:${server.port}): ${end.details}`;
      problems.failed(server, end.details, signal, onProblem);
      failed = true;
    }
    // With none that is in touch, one that is not is better than none: it refreshes credentials.
    for (const server of outOfTouch) {
      const end = await streamFrom(server, false, signal);
      signal.throwIfAborted();
      if (end.opened) return backoff.next();
    }
    if (kiamAnswered) {
      onKiam();
      return kiamRetryMillis;
    }
    if (!failed && isRefused) return backoff.next();
    if (!failed) problems.unresolved(problem);
    // What was found out about a server says more than the library does.
    const known = current.kind === 'connecting' ? current.problem : undefined;
    current = { kind: 'connecting', since: connectingSince(), problem: known ?? problem };
    return backoff.next();
  }

  function onNotCurrent(server: ServerAddress, details: string): void {
    if (current.kind === 'connecting') current = { ...current, problem: `${server.host}: ${details}` };
    if (mayWarn())
      logger.warn({ ...server }, `looking for another server, serving from memory meanwhile: ${details}`);
  }

  function onProblem(problem: string): void {
    if (current.kind === 'connecting') current = { ...current, problem };
  }

  function connectingSince(): number {
    return current.kind === 'connecting' ? current.since : clock.monotonic();
  }

  function onKiam(): void {
    connectedOnce = true;
    problems.forget();
    if (current.kind === 'kiam') return;
    current = { kind: 'kiam', since: clock.monotonic() };
    logger.warn("the servers are kiam's: asking them for each request until one is podpass'");
  }

  return {
    async run(signal) {
      try {
        while (!signal.aborted) await sleep(clock, await round(signal), signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        ledger.close();
        for (const client of connecting.values()) client.close();
      }
    },
    find: finder.find,
    get status() {
      return current;
    },
    get connectedOnce() {
      return connectedOnce;
    },
  };
}
