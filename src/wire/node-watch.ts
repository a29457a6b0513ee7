import type { ClientReadableStream, Metadata, StatusObject, status } from '@grpc/grpc-js';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { PodView } from '../broker/broker.ts';
import type { CurrencyRequirement, SeenVersions } from '../broker/currency.ts';
import type { NodeSelector } from '../broker/node-feed.ts';
import { podFromMessage } from './convert.ts';
import * as podpass from './gen/podpass.ts';

/** What one stream tells. */
export interface NodeWatchListener {
  /** The server took the call. */
  opened(): void;
  pod(view: PodView): void;
  removed(uid: string): void;
  synced(): void;
  /** The server has taken in so much. Called before what the same message says. */
  seen(versions: SeenVersions): void;
  /** A message that does not say what it must. With the pod's UID where that much could be read. */
  malformed(problem: string, uid: string | undefined): void;
}

/** How a stream ended: always, sooner or later. */
export interface NodeWatchEnd {
  readonly opened: boolean;
  readonly code: status;
  readonly details: string;
}

export interface NodeWatchOptions {
  readonly client: podpass.BrokerClient;
  readonly node: NodeSelector;
  /** What shows who the agent is. */
  readonly metadata: Metadata;
  /** How up to date the server has to be. */
  readonly requirement: CurrencyRequirement;
  readonly listener: NodeWatchListener;
  readonly clock: Clock;
  /** How long the server may take to accept the call, connection and handshake included. */
  readonly openMillis: number;
  readonly signal: AbortSignal;
}

/** Opens one WatchNode stream and passes on what it tells until it ends, for whatever reason. Never rejects. */
export function watchNode(options: NodeWatchOptions): Promise<NodeWatchEnd> {
  const { client, node, metadata, requirement, listener, clock, openMillis, signal } = options;
  return new Promise((resolve) => {
    let opened = false;
    const request = { node: nodeToMessage(node), ...requirement };
    const call = openStream(client, request, metadata);
    const onAbort = () => call.cancel();
    let late = false;
    const timer = clock.setTimer(openMillis, () => {
      late = true;
      call.cancel();
    });

    call.on('metadata', () => {
      opened = true;
      timer.cancel();
      listener.opened();
    });
    call.on('data', (event: DecodedEvent) => dispatch(event, listener, clock.monotonic()));
    // Said again by 'status', which comes in every case; without a listener it would be thrown.
    call.on('error', () => {});
    call.on('status', ({ code, details }: StatusObject) => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      resolve({ opened, code, details: late ? `no answer within ${openMillis} ms` : details });
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Who the agent is, as requests carry it. */
export function nodeToMessage({ nodeName = '', hostIp = '' }: NodeSelector): podpass.NodeIdentity {
  return { nodeName, hostIp };
}

type DecodedEvent = podpass.NodeEvent | { readonly undecodable: string };

/** Like the generated call, except that one message that is no message does not end the stream. */
function openStream(
  client: podpass.BrokerClient,
  request: podpass.WatchNodeRequest,
  metadata: Metadata,
): ClientReadableStream<DecodedEvent> {
  const { path, requestSerialize, responseDeserialize } = podpass.BrokerService.watchNode;
  const decode = (bytes: Buffer): DecodedEvent => {
    try {
      return responseDeserialize(bytes);
    } catch (error) {
      return { undecodable: messageOf(error) };
    }
  };
  return client.makeServerStreamRequest(path, requestSerialize, decode, request, metadata);
}

function dispatch(message: DecodedEvent, listener: NodeWatchListener, now: number): void {
  if ('undecodable' in message) {
    listener.malformed(message.undecodable, undefined);
    return;
  }
  const { event, seen } = message;
  if (seen) listener.seen(seen);
  switch (event?.$case) {
    case 'pod': {
      const read = podFromMessage(event.value, now);
      if (read.kind === 'ok') listener.pod(read.value);
      else listener.malformed(read.problem, event.value.uid);
      return;
    }
    case 'removedUid':
      listener.removed(event.value);
      return;
    case 'synced':
      listener.synced();
      return;
    default:
      listener.malformed('an event that is not known to this version', undefined);
  }
}
