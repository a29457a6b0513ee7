import { isIPv6 } from 'node:net';
import {
  type ChannelCredentials,
  type ClientOptions,
  credentials,
  type Interceptor,
  Metadata,
} from '@grpc/grpc-js';
import type { AgentToken } from './agent-token.ts';
import { setBearer } from './bearer-token.ts';
import type { ExplainConnection } from './explain-connection.ts';
import type { ServerAddress } from './server-addresses.ts';

export interface ChannelSettings {
  /** From `Certificates.channelCredentials()`; `insecure` is for tests. */
  readonly credentials: ChannelCredentials | 'insecure';
  /** Finds out why a server cannot be reached. Default: what the library says of it. */
  readonly explain?: ExplainConnection;
  /** Are put around each call, such as one that counts. */
  readonly interceptors?: readonly Interceptor[];
  /** What shows servers of podpass which node the agent is on. It never goes over a connection without TLS. */
  readonly token?: Pick<AgentToken, 'current'>;
  /** kiam's `--grpc-keepalive-time-duration`, in milliseconds. Default 10 s. */
  readonly keepaliveTime?: number;
  /** kiam's `--grpc-keepalive-timeout-duration`, in milliseconds. Default 2 s. */
  readonly keepaliveTimeout?: number;
}

/** The arguments of a generated client's constructor, for a channel to one server process. */
export function channelTo(
  server: ServerAddress,
  settings: ChannelSettings,
): [target: string, credentials: ChannelCredentials, options: ClientOptions] {
  const { host, ip, port } = server;
  return [
    isIPv6(ip) ? `ipv6:[${ip}]:${port}` : `ipv4:${ip}:${port}`,
    settings.credentials === 'insecure' ? credentials.createInsecure() : settings.credentials,
    {
      interceptors: [...(settings.interceptors ?? [])],
      // The certificate is checked against the name that was configured, as kiam does.
      'grpc.ssl_target_name_override': host,
      'grpc.default_authority': isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`,
      'grpc.keepalive_time_ms': settings.keepaliveTime ?? 10_000,
      'grpc.keepalive_timeout_ms': settings.keepaliveTimeout ?? 2_000,
      // Kept apart from other channels: when to try again is decided here, not by a back-off shared in the library.
      'grpc.use_local_subchannel_pool': 1,
      // HTTP_PROXY in a pod's environment is for the internet, not for the server next door.
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_channelz': 0,
    },
  ];
}

/** What a call of `podpass.v1.Broker` carries. kiam's servers have no use for a token, and are not shown it. */
export function callMetadata({ credentials: channel, token }: ChannelSettings): Metadata {
  const metadata = new Metadata();
  const current = channel === 'insecure' ? undefined : token?.current();
  if (current !== undefined) setBearer(metadata, current);
  return metadata;
}
