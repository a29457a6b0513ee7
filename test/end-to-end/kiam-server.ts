import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { type Credentials, KiamServiceService, type Role } from '../../src/wire/gen/kiam.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import type { TlsFiles } from './tls-files.ts';

/** What a kiam server knows of a pod. */
export interface KiamPod {
  /** The annotation as it is written; empty for none. */
  readonly role: string;
  readonly accessKeyId?: string;
  /** What GetPodCredentials fails with. */
  readonly error?: string;
}

/** A server that has nothing but `kiam.KiamService`, answering as kiam 4.2 does. */
export interface KiamServer {
  /** By address. */
  readonly pods: Map<string, KiamPod>;
  /** Calls so far: `GetPodRole 127.0.0.1`. */
  readonly calls: readonly string[];
  stop(): Promise<void>;
}

interface PodRequest {
  readonly ip: string;
  readonly role?: string;
}

/** kiam fails with this code, whatever it is. */
function failure(details: string): Partial<ServiceError> {
  return { code: status.UNKNOWN, details };
}

export async function startKiamServer(scope: Scope, tls: TlsFiles, port: number): Promise<KiamServer> {
  const pods = new Map<string, KiamPod>();
  const calls: string[] = [];

  const getPodRole: handleUnaryCall<PodRequest, Role> = ({ request: { ip } }, respond) => {
    calls.push(`GetPodRole ${ip}`);
    const pod = pods.get(ip);
    respond(pod ? null : failure('pod not found'), { name: pod?.role ?? '' });
  };

  function getPodCredentials(
    { request: { ip, role } }: { readonly request: PodRequest },
    respond: sendUnaryData<Credentials>,
  ): void {
    calls.push(`GetPodCredentials ${ip} ${role}`);
    const pod = pods.get(ip);
    if (!pod) respond(failure('no pod found'));
    else if (pod.error !== undefined) respond(failure(pod.error));
    else if (role !== pod.role) respond(failure('forbidden by policy'));
    else respond(null, credentialsOf(pod));
  }

  const server = new Server();
  server.addService(KiamServiceService, {
    getPodRole,
    getPodCredentials,
    getHealth: (_call: unknown, respond: sendUnaryData<{ message: string }>) =>
      respond(null, { message: 'ok' }),
  });
  const { ca, server: own } = tls.certificates;
  const pair = { private_key: Buffer.from(own.key), cert_chain: Buffer.from(own.cert) };
  await new Promise<void>((resolve, reject) => {
    const credentials = ServerCredentials.createSsl(Buffer.from(ca), [pair], true);
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => (error ? reject(error) : resolve()));
  });

  async function stop(): Promise<void> {
    server.forceShutdown();
  }
  stopWith(scope, stop);
  return { pods, calls, stop };
}

function credentialsOf({ accessKeyId = '' }: KiamPod): Credentials {
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    code: 'Success',
    type: 'AWS-HMAC',
    accessKeyId,
    secretAccessKey: 'kiam-secret-access-key',
    token: 'kiam-session-token',
    expiration: inAnHour,
    lastUpdated: inAnHour,
  };
}
