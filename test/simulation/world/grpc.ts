import { EventEmitter } from 'node:events';
import { connectivityState, type Metadata, status } from '@grpc/grpc-js';
import * as podpass from '../../../src/wire/gen/podpass.ts';
import type { ArrivalOrder, Flow, Network, Party } from './network.ts';

/** What an agent is told through one message, for whoever keeps account of the news. */
export interface Delivery {
  /** How much its server knew when it wrote the message: a moment of the recorder's. */
  readonly asOf: number;
  /** The message was about these pods. Undefined: about everything until then. */
  readonly pods: readonly podpass.Pod[] | undefined;
}

export interface GrpcServerParty extends Party {
  readonly service: podpass.BrokerServer;
  /** Streams that are open, each with how to tell the agent that it has everything until now. */
  readonly streams: Set<() => void>;
}

export interface DialOptions {
  readonly network: Network;
  readonly from: Party;
  /** The address that the server sees. */
  readonly ip: string;
  readonly to: GrpcServerParty;
  /** The moment that it is: `Recorder.moment`. */
  readonly moment: () => number;
  readonly onDelivery: (delivery: Delivery) => void;
}

/** What grpc-js pings for before it gives up: `keepalive_time` and `keepalive_timeout` as podpass sets them. */
const keepaliveMillis = 12_000;
let ports = 10_000;

/** A client of `podpass.v1.Broker` over the simulated network. Messages are written and read as on a real one. */
export function dialBroker(options: DialOptions): podpass.BrokerClient {
  const { network, from, ip, to, moment, onDelivery } = options;
  ports = ports >= 60_000 ? 10_000 : ports + 1;
  const peer = `${ip}:${ports}`;
  const { watchNode, findPod } = podpass.BrokerService;
  const open = new Set<() => void>();
  const order: ArrivalOrder = new Map();

  /** What both kinds of call have in common. `serve` is called at the server's end. */
  function call(
    metadata: Metadata,
    serve: (serverCall: ServerCall, flow: Flow) => void,
    onStatus: (code: status, details: string) => void,
  ): () => void {
    let flow: Flow | undefined;
    let isOver = false;
    const serverCall = Object.assign(new EventEmitter(), {
      metadata,
      getPeer: () => peer,
      getDeadline: () => Number.POSITIVE_INFINITY,
    });
    serverCall.on('error', () => {});
    const end = (code: status, details: string) => {
      if (isOver) return;
      isOver = true;
      open.delete(cancel);
      onStatus(code, details);
    };
    const cancel = () => {
      flow?.close(from);
      // As the library does: in a turn of its own.
      queueMicrotask(() => end(status.CANCELLED, 'Cancelled on client'));
    };
    open.add(cancel);
    network.connect({
      from,
      to,
      keepaliveMillis,
      order,
      onOpen(opened) {
        flow = opened;
        if (isOver) opened.close(from);
        else opened.send(from, () => serve(serverCall, opened));
      },
      onBroken: (why) => end(status.UNAVAILABLE, why),
      onPeerBroken: () => {
        serverCall.emit('cancelled');
        serverCall.emit('close');
      },
    });
    return cancel;
  }

  const client = {
    getChannel: () => ({ getConnectivityState: () => connectivityState.READY }),
    close() {
      for (const cancel of [...open]) cancel();
    },
    makeServerStreamRequest(
      _path: string,
      serialize: (request: podpass.WatchNodeRequest) => Buffer,
      deserialize: (bytes: Buffer) => unknown,
      request: podpass.WatchNodeRequest,
      metadata: Metadata,
    ) {
      const clientCall = new EventEmitter();
      const bytes = serialize(request);
      const cancel = call(
        metadata,
        (serverCall, flow) => {
          let isSynced = false;
          const mark = () => {
            const asOf = moment();
            if (isSynced) flow.send(to, () => onDelivery({ asOf, pods: undefined }));
          };
          to.streams.add(mark);
          const finish = (code: status, details: string) => {
            to.streams.delete(mark);
            flow.send(to, () => {
              flow.close(from);
              clientCall.emit('status', { code, details });
              open.delete(cancel);
            });
          };
          serverCall.once('close', () => to.streams.delete(mark));
          serverCall.on('error', ({ code, details }: { code: status; details: string }) =>
            finish(code, details),
          );
          Object.assign(serverCall, {
            request: watchNode.requestDeserialize(bytes),
            sendMetadata: () => flow.send(to, () => clientCall.emit('metadata')),
            end: () => finish(status.OK, ''),
            write(event: podpass.NodeEvent) {
              const sent = watchNode.responseSerialize(event);
              const asOf = moment();
              flow.send(to, () => {
                const read = watchNode.responseDeserialize(sent).event;
                if (read?.$case === 'pod') onDelivery({ asOf, pods: [read.value] });
                if (read?.$case === 'synced') onDelivery({ asOf, pods: undefined });
                clientCall.emit('data', deserialize(sent));
              });
              if (event.event?.$case === 'synced') isSynced = true;
              return true;
            },
          });
          to.service.watchNode(serverCall as never);
        },
        (code, details) => clientCall.emit('status', { code, details }),
      );
      return Object.assign(clientCall, { cancel });
    },
    findPod(
      request: podpass.FindPodRequest,
      metadata: Metadata,
      callback: (error: object | null, response?: podpass.FindPodResponse) => void,
    ) {
      let isAnswered = false;
      const answer = (error: object | null, response?: podpass.FindPodResponse) => {
        if (isAnswered) return;
        isAnswered = true;
        open.delete(cancel);
        callback(error, response);
      };
      const bytes = findPod.requestSerialize(request);
      const cancel = call(
        metadata,
        (serverCall, flow) => {
          Object.assign(serverCall, { request: findPod.requestDeserialize(bytes) });
          to.service.findPod(serverCall as never, (error, response) => {
            const asOf = moment();
            const sent = response ? findPod.responseSerialize(response) : undefined;
            flow.send(to, () => {
              flow.close(from);
              if (!sent) {
                answer(error as object);
                return;
              }
              const read = findPod.responseDeserialize(sent);
              onDelivery({ asOf, pods: read.pods });
              answer(null, read);
            });
          });
        },
        (code, details) => answer({ code, details }),
      );
      return { cancel };
    },
  };
  return client as unknown as podpass.BrokerClient;
}

type ServerCall = EventEmitter & { readonly metadata: Metadata };
