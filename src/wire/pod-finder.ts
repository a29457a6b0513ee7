import { type Metadata, status } from '@grpc/grpc-js';
import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import type { PodView } from '../broker/broker.ts';
import type { NodeSelector } from '../broker/node-feed.ts';
import type { Logger } from '../telemetry/logger.ts';
import { podFromMessage } from './convert.ts';
import type { BrokerClient, FindPodResponse } from './gen/podpass.ts';
import { nodeToMessage } from './node-watch.ts';
import type { PodLedger } from './pod-ledger.ts';
import { type UnaryOutcome, unaryCall } from './unary-call.ts';

export interface FindRequest {
  readonly waitMillis: number;
  readonly signal: AbortSignal;
}

export interface PodFinderOptions {
  readonly node: NodeSelector;
  /** What shows who the agent is, at the time of a call. */
  readonly metadata: () => Metadata;
  readonly ledger: PodLedger;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks whichever server the agent is connected to for pods it was not told of yet. */
export interface PodFinder {
  connected(client: BrokerClient): void;
  disconnected(client: BrokerClient): void;
  find(address: string, request: FindRequest): Promise<readonly PodView[]>;
}

/** How long to leave a server alone that has just failed and that the agent is still connected to. Milliseconds. */
const againMillis = 100;
/** What an answer may take beyond the time that the server was given to wait. Milliseconds. */
const answerMillis = 250;

export function createPodFinder({ node, metadata, ledger, clock, logger }: PodFinderOptions): PodFinder {
  let current: BrokerClient | undefined;
  const onConnected = new Set<() => void>();

  /** A client other than the one that has just failed; that one too, after a moment. `undefined`: not in time. */
  async function nextClient(
    failed: BrokerClient | undefined,
    millis: number,
    signal: AbortSignal,
  ): Promise<BrokerClient | undefined> {
    if (current && current !== failed) return current;
    const wait = current ? Math.min(millis, againMillis) : millis;
    let wake = () => {};
    try {
      await bounded(clock, wait, signal, () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        onConnected.add(wake);
        return promise;
      });
    } finally {
      onConnected.delete(wake);
    }
    return current;
  }

  async function ask(
    client: BrokerClient,
    address: string,
    millis: number,
    signal: AbortSignal,
  ): Promise<UnaryOutcome<FindPodResponse>> {
    const request = { node: nodeToMessage(node), address, waitMillis: Math.floor(millis) };
    const outcome = await bounded(clock, millis + answerMillis, signal, (both) =>
      unaryCall<FindPodResponse>((callback) => client.findPod(request, metadata(), callback), both),
    );
    return outcome.kind === 'done' ? outcome.value : { kind: 'answered', response: { pods: [] } };
  }

  async function find(address: string, { waitMillis, signal }: FindRequest): Promise<readonly PodView[]> {
    const deadline = clock.monotonic() + waitMillis;
    let failed: BrokerClient | undefined;
    for (let left = waitMillis; left > 0; left = deadline - clock.monotonic()) {
      const client = await nextClient(failed, left, signal);
      const search = ledger.search();
      try {
        const rest = deadline - clock.monotonic();
        if (!client || rest <= 0) return [];
        const answer = await ask(client, address, rest, signal);
        if (answer.kind === 'answered') {
          const views = viewsOf(answer.response);
          search.found(views);
          return views;
        }
        const { code, details } = answer.error;
        if (code !== status.UNAVAILABLE) {
          logger.warn({ address, code: status[code] }, `the server cannot be asked for a pod: ${details}`);
          return [];
        }
        failed = client;
      } finally {
        search.end();
      }
    }
    return [];
  }

  /** All of them or none: one claimant less could make an address look like another pod's own. */
  function viewsOf({ pods }: FindPodResponse): PodView[] {
    const views: PodView[] = [];
    for (const message of pods) {
      const read = podFromMessage(message, clock.monotonic());
      if (read.kind === 'malformed') {
        logger.error(
          { 'pod.uid': message.uid },
          `the server sent a pod that cannot be used: ${read.problem}`,
        );
        return [];
      }
      views.push(read.value);
    }
    return views;
  }

  return {
    connected(client) {
      current = client;
      for (const wake of [...onConnected]) wake();
    },
    disconnected(client) {
      if (current === client) current = undefined;
    },
    find,
  };
}
