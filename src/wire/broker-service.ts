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
import type { Currency, CurrencyRequirement } from '../broker/currency.ts';
import type { NodeSelector, NodeSource } from '../broker/node-feed.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Agent, AgentGate, Refusal } from './agent-gate.ts';
import { deadlineSignal } from './call-bounds.ts';
import { podToMessage } from './convert.ts';
import * as podpass from './gen/podpass.ts';
import { createNodeStream } from './node-stream.ts';
import type { GrpcService } from './service.ts';

export interface BrokerServiceOptions {
  readonly source: NodeSource;
  /** Who may have which node's pods. Default: any agent any node's, as kiam has it. */
  readonly gate?: AgentGate;
  /** How up to date this server is. Default: whoever asks goes by what it says. */
  readonly currency?: Currency;
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

/** A stream whose agent no longer shows that it is on its node ends after this at most. Milliseconds. */
const recheckMillis = 10_000;

/**
 * When contact with the Kubernetes API is lost, streams end one by one over this time, unless it is back by then: an API
 * server that restarts is no reason to tell every agent everything anew.
 */
const lostTouchMillis = 15_000;
/** A stream of an agent that found no server in touch ends after this to twice this, and the agent looks again. */
const outOfTouchMillis = 30_000;

/** Node names are DNS subdomains, addresses are shorter. */
const longestName = 253;

type WatchNodeCall = ServerWritableStream<podpass.WatchNodeRequest, podpass.NodeEvent>;
type FindPodCall = ServerUnaryCall<podpass.FindPodRequest, podpass.FindPodResponse>;

/** `podpass.v1.Broker`: tells agents of the pods of their nodes. Its `drain` ends the streams with OK. */
export function createBrokerService(options: BrokerServiceOptions): GrpcService {
  const {
    source,
    gate,
    currency,
    clock,
    random,
    logger,
    maxStreamAgeMillis,
    maxPendingPods = 10_000,
  } = options;
  const streams = new Set<() => void>();
  const streamsOf = new Map<string, number>();

  /** Passes a call on with the node whose pods it may have, or refuses it. At once, where nobody has to be asked. */
  function narrow(
    call: WatchNodeCall | FindPodCall,
    asked: NodeSelector,
    allow: (node: NodeSelector, agent: Agent | undefined) => void,
    refuse: (refusal: Refusal) => void,
  ): void {
    if (!gate) {
      allow(asked, undefined);
      return;
    }
    const decide = (admitted: Agent | Refusal) => {
      if (admitted.kind === 'refused') {
        refuse(admitted);
        return;
      }
      const narrowed = gate.narrow(admitted, asked);
      if (narrowed.kind === 'refused') refuse(narrowed);
      else allow(narrowed.node, admitted);
    };
    const admitted = gate.admit(call, () => gate.askedBy(asked));
    if (admitted instanceof Promise) void admitted.then(decide);
    else decide(admitted);
  }

  function watchNode(call: WatchNodeCall): void {
    const asked = selectorOf(call.request.node);
    if (!asked) {
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
    let ignoreTouch: (() => void) | undefined;
    const timers = new Map<'age' | 'recheck' | 'touch', Timer>();
    let ended = false;

    /** Ends the stream once, with an error where there is one. */
    function end(error?: { code: status; details: string }): void {
      if (ended) return;
      ended = true;
      streams.delete(endWell);
      const left = (streamsOf.get(peer) ?? 1) - 1;
      if (left > 0) streamsOf.set(peer, left);
      else streamsOf.delete(peer);
      for (const timer of timers.values()) timer.cancel();
      unsubscribe();
      ignoreTouch?.();
      if (error) call.emit('error', error);
      else call.end();
    }
    const endWell = () => end();

    /** The agent opens another stream then, and is looked at anew. */
    function recheck(agent: Agent): void {
      const look = () => {
        if (gate?.holds(agent)) recheck(agent);
        else endWell();
      };
      timers.set('recheck', clock.setTimer(recheckMillis, look));
    }

    /** An agent that could do better elsewhere is sent to look. */
    function watchTouch(watched: Currency): void {
      const leaveIn = (millis: number, leave: () => void) => {
        timers.get('touch')?.cancel();
        const look = () => {
          if (!watched.isInTouch) leave();
        };
        timers.set('touch', clock.setTimer(millis, look));
      };
      ignoreTouch = watched.onOutOfTouch(() =>
        leaveIn(lostTouchMillis * random.next(), () => end(lostTouch)),
      );
      if (!watched.isInTouch) leaveIn(outOfTouchMillis * (1 + random.next()), endWell);
    }

    function open(node: NodeSelector, agent: Agent | undefined): void {
      if (ended) return;
      const requirement = requirementOf(call.request);
      const objection = currency?.objection(requirement);
      if (objection !== undefined) {
        end(objections[objection]);
        return;
      }
      if (currency) watchTouch(currency);
      if (maxStreamAgeMillis !== undefined)
        timers.set('age', clock.setTimer(maxStreamAgeMillis * (1 + random.next() / 5), endWell));
      if (agent) recheck(agent);
      // Tells the agent that it is connected before there is anything to say.
      call.sendMetadata(new Metadata());
      const stream = createNodeStream(
        clock,
        {
          write: (event) => ended || call.write(event),
          onDrain: (fn) => call.on('drain', fn),
        },
        maxPendingPods,
        () => {
          logger.warn({ ...node, peer }, 'agent does not read its stream: ending it');
          end({ code: status.RESOURCE_EXHAUSTED, details: 'too many changes are waiting for this agent' });
        },
        () => currency?.seen,
      );
      unsubscribe = source.subscribeNode(node, stream);
      if (ended) unsubscribe();
    }

    streams.add(endWell);
    call.on('cancelled', endWell);
    call.on('close', endWell);
    narrow(call, asked, open, end);
  }

  function findPod(call: FindPodCall, respond: sendUnaryData<podpass.FindPodResponse>): void {
    const asked = selectorOf(call.request.node);
    if (!asked) {
      respond(invalidNode);
      return;
    }
    narrow(call, asked, (node) => search(call, node, respond), respond);
  }

  function search(
    call: FindPodCall,
    node: NodeSelector,
    respond: sendUnaryData<podpass.FindPodResponse>,
  ): void {
    const { address, waitMillis } = call.request;
    const { millis, signal, end } = deadlineSignal(call, clock, Math.min(waitMillis, longestWait));
    source
      .find(address, { node, waitMillis: millis, signal })
      .then(
        (views) => respond(null, { pods: views.map((view) => podToMessage(view, clock.monotonic())) }),
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

const outOfTouch = 'the server is out of touch with the Kubernetes API';
const objections = {
  'out-of-touch': { code: status.FAILED_PRECONDITION, details: outOfTouch },
  behind: { code: status.OUT_OF_RANGE, details: 'the server has not heard yet of what the agent was told' },
} as const;
const lostTouch = { code: status.UNAVAILABLE, details: outOfTouch };

/** Resource versions have no more than 20 digits; what is longer is none. */
const longestVersion = 64;

function requirementOf({ inTouch, seen }: podpass.WatchNodeRequest): CurrencyRequirement {
  const { pods = '', namespaces = '' } = seen ?? {};
  const isPlausible = pods.length <= longestVersion && namespaces.length <= longestVersion;
  return { inTouch, seen: isPlausible ? { pods, namespaces } : { pods: '', namespaces: '' } };
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
