import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { messageOf, PodpassError } from '../base/errors.ts';
import { cleanText } from './clean-text.ts';
import type { ClusterAccess, ClusterConfig, ClusterTls } from './cluster-config.ts';

export interface KubeconfigOptions {
  /** The file that `--kubeconfig` names. Without it `KUBECONFIG` (files in a list), else `~/.kube/config`. */
  readonly path?: string;
  /** The context to use. Default: the file's current one. */
  readonly context?: string;
  /** The process's environment: KUBECONFIG and HOME are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * A person's kubeconfig: contexts, client certificates, tokens, exec plugins, OIDC, proxies. The library behind it
 * costs 80 MB of memory, so it is loaded when this is called and never by a process of the cluster.
 *
 * @throws PodpassError ERR_CLUSTER_CONFIG when there is no file, it cannot be used, or it has no such context.
 */
export async function loadKubeconfig(options: KubeconfigOptions): Promise<ClusterConfig> {
  const paths = pathsOf(options);
  const { KubeConfig } = await import('@kubernetes/client-node');

  async function load(): Promise<KubeConfig> {
    const merged = new KubeConfig();
    const missing: string[] = [];
    for (const path of paths) {
      try {
        mergeFile(merged, await readFile(path, 'utf8'), path, new KubeConfig());
      } catch (cause) {
        if (!isMissingFile(cause)) {
          const text = `kubeconfig ${path} cannot be used: ${cleanText(messageOf(cause), 512)}. Put it right or name another.`;
          throw new PodpassError('ERR_CLUSTER_CONFIG', text, { cause });
        }
        missing.push(path);
      }
    }
    if (missing.length === paths.length) {
      const text = `no kubeconfig at ${paths.join(' or ') || '~/.kube/config'}. Give --kubeconfig, or run inside the cluster.`;
      throw new PodpassError('ERR_CLUSTER_CONFIG', text);
    }
    if (options.context !== undefined) merged.setCurrentContext(options.context);
    return merged;
  }

  let config = await load();
  const context = config.getContextObject(config.getCurrentContext());
  const cluster = config.getCurrentCluster();
  if (!context || !cluster?.server) {
    const names = config.getContexts().map(({ name }) => name);
    const text = `kubeconfig ${paths.join(', ')} has no usable context ${JSON.stringify(config.getCurrentContext() ?? '')}. It has: ${names.join(', ') || 'none'}.`;
    throw new PodpassError('ERR_CLUSTER_CONFIG', text);
  }
  const source = `context ${context.name} of ${paths.join(', ')}`;
  return {
    server: cluster.server.replace(/\/+$/, ''),
    source,
    ...(context.namespace && { namespace: context.namespace }),
    async access({ refused }) {
      try {
        // The library keeps what an exec plugin or an OIDC provider gave it; a fresh object asks them again.
        if (refused) config = await load();
        return await accessOf(config);
      } catch (cause) {
        const text = `${source}: no credentials for the API server: ${cleanText(messageOf(cause), 512)}. Does kubectl work with it?`;
        throw new PodpassError('ERR_CLUSTER_CONFIG', text, { cause });
      }
    },
  };
}

function pathsOf({ path, env }: KubeconfigOptions): readonly string[] {
  if (path) return [resolve(path)];
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((part) => part !== '');
  if (listed.length > 0) return listed.map((part) => resolve(part));
  return env.HOME ? [join(env.HOME, '.kube', 'config')] : [];
}

/** Adds what `merged` does not have yet: as with kubectl, the first file that names a thing wins. */
function mergeFile(merged: KubeConfig, text: string, path: string, file: KubeConfig): void {
  file.loadFromString(text);
  file.makePathsAbsolute(dirname(path));
  for (const cluster of file.getClusters()) {
    // The library refuses plain http unless told that TLS need not be checked; over plain http nothing is.
    const plain = cluster.server?.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster;
    if (!merged.clusters.some(({ name }) => name === cluster.name)) merged.addCluster(plain);
  }
  for (const user of file.getUsers()) {
    if (!merged.users.some(({ name }) => name === user.name)) merged.addUser(user);
  }
  for (const context of file.getContexts()) {
    if (!merged.contexts.some(({ name }) => name === context.name)) merged.addContext(context);
  }
  if (!merged.getCurrentContext() && file.getCurrentContext())
    merged.setCurrentContext(file.getCurrentContext());
}

async function accessOf(config: KubeConfig): Promise<ClusterAccess> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  if (options.headers && !Array.isArray(options.headers)) {
    for (const [name, value] of Object.entries(options.headers)) {
      // Token files end with a newline, which no header may hold.
      if (typeof value === 'string') headers[name.toLowerCase()] = value.trim();
    }
  }
  if (options.auth) headers.authorization ??= `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const proxied = config.getCurrentCluster()?.proxyUrl && typeof options.agent === 'object';
  return {
    headers,
    tls: tlsOf(options),
    ...(proxied && { agent: options.agent as NonNullable<ClusterAccess['agent']> }),
  };
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): ClusterTls {
  return {
    ...(ca && { ca: String(ca) }),
    ...(cert && { cert: String(cert) }),
    ...(key && { key: String(key) }),
    ...(servername && { servername }),
    ...(rejectUnauthorized === false && { rejectUnauthorized }),
  };
}

function isMissingFile(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
