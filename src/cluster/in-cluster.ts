import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { messageOf, PodpassError } from '../base/errors.ts';
import type { ClusterAccess, ClusterConfig } from './cluster-config.ts';

export interface InClusterOptions {
  /** The process's environment: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Where kubelet puts `token`, `ca.crt` and `namespace`. Default: as kubelet mounts them. */
  readonly directory?: string;
}

/** Where kubelet mounts the service account of every pod. */
export const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/** client-go's. kubelet replaces a token when a fifth of its life is left, so a minute is nothing. */
const readAgainMillis = 60_000;
/** A projected token is about 1 kB. */
const maxTokenLength = 64 * 1_024;
/** Printable ASCII: what may stand in a header. */
const headerText = /^[\x21-\x7e]+$/;

/** Whether this process runs in a pod that has a cluster's API to talk to. */
export function isInCluster(env: InClusterOptions['env']): boolean {
  return Boolean(env.KUBERNETES_SERVICE_HOST);
}

/**
 * The configuration that kubelet gives to every pod. The token and the CA are read again every minute, and at once
 * when the API server refuses the token; while they cannot be read the last ones stay in use.
 *
 * @throws PodpassError ERR_CLUSTER_CONFIG when the environment or the files are not there.
 */
export async function loadInClusterConfig(options: InClusterOptions): Promise<ClusterConfig> {
  const { env, clock, directory = serviceAccountDirectory } = options;
  const host = env.KUBERNETES_SERVICE_HOST;
  if (!host) {
    const text =
      'KUBERNETES_SERVICE_HOST is not set, so this is not a pod of a cluster. Give --kubeconfig to run elsewhere.';
    throw new PodpassError('ERR_CLUSTER_CONFIG', text);
  }
  const port = env.KUBERNETES_SERVICE_PORT || '443';
  let access = await readAccess(directory);
  let readAt = clock.monotonic();

  async function refresh(): Promise<void> {
    readAt = clock.monotonic();
    try {
      access = await readAccess(directory);
    } catch {
      // A file that is away while kubelet swaps the mount is no reason to stop: if the token kept is too old, the
      // API server says so, and each request after its refusal reads again.
    }
  }

  const namespace = await readOptional(`${directory}/namespace`);
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    source: 'service account of this pod',
    ...(namespace && { namespace }),
    async access({ refused }) {
      if (refused || clock.monotonic() - readAt >= readAgainMillis) await refresh();
      return access;
    },
  };
}

async function readAccess(directory: string): Promise<ClusterAccess> {
  const token = (await readMounted(`${directory}/token`)).trim();
  if (token.length > maxTokenLength || !headerText.test(token)) {
    throw new PodpassError(
      'ERR_CLUSTER_CONFIG',
      `${directory}/token does not hold a token. Is the right volume mounted?`,
    );
  }
  const ca = await readMounted(`${directory}/ca.crt`);
  return { headers: { authorization: `Bearer ${token}` }, tls: { ca } };
}

async function readMounted(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const text = `cannot read ${path}: ${messageOf(cause)}. Does the pod's spec say automountServiceAccountToken: false?`;
    throw new PodpassError('ERR_CLUSTER_CONFIG', text, { cause });
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return undefined;
  }
}
