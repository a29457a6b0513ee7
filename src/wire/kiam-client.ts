import { type ClientUnaryCall, connectivityState, type ServiceError, status } from '@grpc/grpc-js';
import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import { type ChannelSettings, channelTo } from './channel.ts';
import { KiamServiceClient } from './gen/kiam.ts';
import type { ServerAddress, ServerAddresses } from './server-addresses.ts';
import { createServerRoster } from './server-roster.ts';
import { type UnaryOutcome, unaryCall } from './unary-call.ts';

export interface KiamClientOptions {
  readonly addresses: ServerAddresses;
  readonly channel: ChannelSettings;
  readonly clock: Clock;
}

/** What a call came to: the server's word, or that no server could be asked. */
export type KiamOutcome<Response> =
  | UnaryOutcome<Response>
  | { readonly kind: 'unreachable'; readonly problem: string };

/** Starts one call of the generated client. */
export type KiamCall<Response> = (
  client: KiamServiceClient,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** Calls `kiam.KiamService` of whichever server answers. */
export interface KiamClient {
  /** Tries one server after the other until one answers. Rejects only when the signal aborts. */
  call<Response>(start: KiamCall<Response>, signal: AbortSignal): Promise<KiamOutcome<Response>>;
  /**
   * Connects to one server after the other until one takes the connection. Rejects only when the signal aborts.
   *
   * @returns what was wrong with each of them, or `undefined`
   */
  connect(signal: AbortSignal): Promise<string | undefined>;
  close(): void;
}

/** kiam's agents allow a call this long, and its servers may wait for STS in it. Milliseconds. */
const callMillis = 5_000;

/**
 * gRPC for Go pings no sooner, whatever it is told, and a kiam server counts on that: it ends the connection of who
 * sends several pings while one call waits for its answer. Milliseconds.
 */
const leastKeepalive = 10_000;

export function createKiamClient({ addresses, channel: settings, clock }: KiamClientOptions): KiamClient {
  const keepaliveTime = Math.max(leastKeepalive, settings.keepaliveTime ?? leastKeepalive);
  const channel: ChannelSettings = { ...settings, keepaliveTime };
  const roster = createServerRoster(addresses, clock);
  const clients = new Map<string, KiamServiceClient>();

  function clientOf(server: ServerAddress): KiamServiceClient {
    const key = keyOf(server);
    const known = clients.get(key);
    if (known) return known;
    const client = new KiamServiceClient(...channelTo(server, channel));
    clients.set(key, client);
    return client;
  }

  function forget(server: ServerAddress, state: connectivityState): void {
    roster.failed(server);
    // A connection under way cannot be closed, only used: a kiam server accepts it long before it answers.
    if (state === connectivityState.CONNECTING) return;
    clients.get(keyOf(server))?.close();
    clients.delete(keyOf(server));
  }

  /** Calls one server. Whoever gives up on a server that no connection was made to asks another one next time. */
  async function callOne<Response>(
    server: ServerAddress,
    start: KiamCall<Response>,
    signal: AbortSignal,
  ): Promise<KiamOutcome<Response>> {
    const client = clientOf(server);
    try {
      const outcome = await bounded(clock, callMillis, signal, (both) =>
        unaryCall<Response>((callback) => start(client, callback), both),
      );
      return outcome.kind === 'done' ? outcome.value : { kind: 'unreachable', problem: 'no answer in time' };
    } finally {
      const state = client.getChannel().getConnectivityState(false);
      if (state !== connectivityState.READY) forget(server, state);
    }
  }

  return {
    async call<Response>(start: KiamCall<Response>, signal: AbortSignal): Promise<KiamOutcome<Response>> {
      let problem = 'no server name can be resolved';
      for (const server of await roster.list(signal)) {
        const outcome = await callOne(server, start, signal);
        if (outcome.kind === 'answered') return outcome;
        if (outcome.kind === 'failed' && outcome.error.code !== status.UNAVAILABLE) return outcome;
        const what = outcome.kind === 'failed' ? outcome.error.details : outcome.problem;
        problem = `${server.host} (${server.ip}:${server.port}): ${what}`;
      }
      return { kind: 'unreachable', problem };
    },
    async connect(signal) {
      let problem = 'no server name can be resolved';
      for (const server of await roster.list(signal)) {
        const state = await connected(clientOf(server).getChannel(), signal);
        if (state === connectivityState.READY) return undefined;
        forget(server, state);
        problem = `${server.host} (${server.ip}:${server.port}): no connection`;
      }
      return problem;
    },
    close() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

type ClientChannel = ReturnType<KiamServiceClient['getChannel']>;

/** Connects a channel. Resolves to how its first try ended: ready, or not. */
function connected(channel: ClientChannel, signal: AbortSignal): Promise<connectivityState> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const look = () => {
      const state = channel.getConnectivityState(true);
      const isOpen = state === connectivityState.IDLE || state === connectivityState.CONNECTING;
      if (!isOpen) resolve(state);
      else if (!signal.aborted) channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look);
    };
    look();
  });
}

function keyOf({ host, ip, port }: ServerAddress): string {
  return `${host} ${ip} ${port}`;
}
