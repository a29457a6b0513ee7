import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { Clock, Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { NodeSelector, NodeSource } from '../broker/node-feed.ts';
import type { Logger } from '../telemetry/logger.ts';
import { deadlineSignal } from './call-bounds.ts';
import { podToMessage } from './convert.ts';
import * as podpass from './gen/podpass.ts';
import { createNodeStream } from './node-stream.ts';
import type { GrpcService } from './service.ts';

export interface BrokerServiceOptions {
  readonly source: NodeSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /**
   * Ends a WatchNode stream with OK when it is about this old (up to a fifth older, by chance), in milliseconds, so
   * that agents look again which servers there are. Give it the maximal connection age. Default: never.
   */
  readonly maxStreamAgeMillis?: number;
  /** How many changed pods are kept for an agent that does not read, before its stream is ended. Default 10,000. */
  readonly maxPendingPods?: number;
}

/**
 * Streams of one connection. An agent has one, and another while it changes over; each begins with all pods of the
 * node, so a thousand would be the memory of a thousand nodes.
 */
const mostStreams = 8;

/** No call waits longer than this, whatever it asks for. Milliseconds. */
const longestWait = 5_000;

/** Node names are DNS subdomains, addresses are shorter. */
const longestName = 253;

/** `podpass.v1.Broker`: tells agents of the pods of their nodes. Its `drain` ends the streams with OK. */
export function createBrokerService(options: BrokerServiceOptions): GrpcService {
  const { source, clock, random, logger, maxStreamAgeMillis, maxPendingPods = 10_000 } = options;
  const streams = new Set<() => void>();
  const streamsOf = new Map<string, number>();

  function watchNode(call: ServerWritableStream<podpass.WatchNodeRequest, podpass.NodeEvent>): void {
    const node = selectorOf(call.request.node);
    if (!node) {
      call.emit('error', invalidNode);
      return;
    }
    const peer = call.getPeer();
    const others = streamsOf.get(peer) ?? 0;
    if (others >= mostStreams) {
      call.emit('error', tooManyStreams);
      return;
    }
    streamsOf.set(peer, others + 1);
    let unsubscribe = () => {};
    let age: Timer | undefined;
    let ended = false;

    /** Ends the stream once, with an error where there is one. */
    function end(error?: { code: status; details: string }): void {
      if (ended) return;
      ended = true;
      streams.delete(endWell);
      const left = (streamsOf.get(peer) ?? 1) - 1;
      if (left > 0) streamsOf.set(peer, left);
      else streamsOf.delete(peer);
      age?.cancel();
      unsubscribe();
      if (error) call.emit('error', error);
      else call.end();
    }
    const endWell = () => end();

    streams.add(endWell);
    call.on('cancelled', endWell);
    call.on('close', endWell);
    if (maxStreamAgeMillis !== undefined) {
      age = clock.setTimer(maxStreamAgeMillis * (1 + random.next() / 5), endWell);
    }
    // Tells the agent that it is connected before there is anything to say.
    call.sendMetadata(new Metadata());
    const stream = createNodeStream(
      {
        write: (event) => ended || call.write(event),
        onDrain: (fn) => call.on('drain', fn),
      },
      maxPendingPods,
      () => {
        logger.warn({ ...node, peer }, 'agent does not read its stream: ending it');
        end({ code: status.RESOURCE_EXHAUSTED, details: 'too many changes are waiting for this agent' });
      },
    );
    unsubscribe = source.subscribeNode(node, stream);
    if (ended) unsubscribe();
  }

  function findPod(
    call: ServerUnaryCall<podpass.FindPodRequest, podpass.FindPodResponse>,
    respond: sendUnaryData<podpass.FindPodResponse>,
  ): void {
    const { address, waitMillis } = call.request;
    const node = selectorOf(call.request.node);
    if (!node) {
      respond(invalidNode);
      return;
    }
    const { millis, signal, end } = deadlineSignal(call, clock, Math.min(waitMillis, longestWait));
    source
      .find(address, { node, waitMillis: millis, signal })
      .then(
        (views) => respond(null, { pods: views.map(podToMessage) }),
        (error: unknown) => {
          if (!signal.aborted) logger.error({ err: error }, `FindPod failed: ${messageOf(error)}`);
          respond({
            code: signal.aborted ? status.CANCELLED : status.INTERNAL,
            details: 'the search was given up',
          });
        },
      )
      .finally(end);
  }

  const implementation: podpass.BrokerServer = { watchNode, findPod };
  return {
    definition: podpass.BrokerService,
    implementation,
    drain() {
      for (const end of [...streams]) end();
    },
  };
}

const invalidNode = {
  code: status.INVALID_ARGUMENT,
  details: 'the request does not say which node the agent is on',
};

const tooManyStreams = {
  code: status.RESOURCE_EXHAUSTED,
  details: `one connection has at most ${mostStreams} streams of a node`,
};

/** `undefined` when the request names no node, or names it at a length that no node has. */
function selectorOf(message: podpass.NodeIdentity | undefined): NodeSelector | undefined {
  const { nodeName = '', hostIp = '' } = message ?? {};
  if ((nodeName === '' && hostIp === '') || nodeName.length > longestName || hostIp.length > longestName) {
    return undefined;
  }
  return { ...(nodeName && { nodeName }), ...(hostIp && { hostIp }) };
}
