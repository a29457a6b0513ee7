import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { partPath } from './catalogue.ts';
import { type ClusterClient, createClusterClient } from './cluster-client.ts';
import { type ClusterFiles, type ClusterUser, kubeconfigText, writeClusterFiles } from './cluster-files.ts';
import { type ClusterObjects, createClusterObjects } from './cluster-objects.ts';
import { freePorts } from './free-ports.ts';
import { type PartProcess, startProcess } from './process.ts';
import { type Scope, stopWith } from './scope.ts';

export interface ClusterOptions {
  /** Another etcd than the built one, by its path: Debian's 3.4 makes the API server refuse streamed lists. */
  readonly etcd?: string;
  /** Who may come in by token, besides the administrator. They may do what RBAC lets them. */
  readonly users?: readonly ClusterUser[];
  /** Further flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[];
}

/** A real API server on a real etcd, on loopback, with nothing else: no controllers, no scheduler, no kubelet. */
export interface Cluster extends ClusterObjects, Omit<ClusterClient, 'close'> {
  /** `https://127.0.0.1:PORT`; the same after a restart. */
  readonly url: string;
  readonly caFile: string;
  readonly caPem: string;
  /** Belongs to `system:masters`. */
  readonly adminToken: string;
  /** The path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** The issuer in service-account tokens. */
  readonly issuer: string;
  /** Kills the API server as it stands; etcd keeps what there is. */
  stopApiServer(): Promise<void>;
  /** Starts it again at the same address, with these flags besides its own, and waits until it is ready. */
  startApiServer(furtherFlags?: readonly string[]): Promise<void>;
  restartApiServer(furtherFlags?: readonly string[]): Promise<void>;
  /** Kills etcd as it stands; what it has answered to is in its files. */
  stopEtcd(): Promise<void>;
  /** Starts it again at the same address and on the same files, and waits until it and the API server are ready. */
  startEtcd(): Promise<void>;
  /** Stops and continues the API server as a machine that hangs. */
  pauseApiServer(): void;
  continueApiServer(): void;
  /** Ends everything and removes its files. Called by the scope, too. */
  stop(): Promise<void>;
}

const issuer = 'https://kubernetes.default.svc';
const adminToken = 'podpass-test-administrator';

/** Ready in 3 s on an idle machine. */
const readyBound = 90_000;
const defaultsBound = 30_000;
const attempts = 3;

/**
 * Starts etcd and kube-apiserver; the suite must have asked for them with `needs('kube-apiserver', 'etcd')`.
 *
 * @throws Error with the last lines of what did not start.
 */
export async function startCluster(scope: Scope, options: ClusterOptions = {}): Promise<Cluster> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(scope, options);
    } catch (error) {
      // Between finding a port free and listening on it, somebody else may have taken it.
      const portTaken = error instanceof Error && error.message.includes('address already in use');
      if (!portTaken || attempt === attempts) throw error;
    }
  }
}

async function startOnce(scope: Scope, options: ClusterOptions): Promise<Cluster> {
  const { signal } = scope;
  const dir = mkdtempSync(join(tmpdir(), 'podpass-cluster-'));
  const admin = { name: 'admin', token: adminToken, groups: ['system:masters'] };
  const files = writeClusterFiles(dir, [admin, ...(options.users ?? [])]);
  const [etcdPort = 0, peerPort = 0, apiPort = 0] = await freePorts(3);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const url = `https://127.0.0.1:${apiPort}`;
  const caFile = join(dir, 'apiserver.crt');
  const processes = new Set<PartProcess>();
  let apiServer: PartProcess | undefined;
  let etcd: PartProcess | undefined;
  let client: ClusterClient | undefined;

  async function stop() {
    client?.close();
    await Promise.all(Array.from(processes, (each) => each.stop()));
    rmSync(dir, { recursive: true, force: true });
  }

  async function startApiServer(furtherFlags: readonly string[] = []) {
    const own = apiServerArgs({ dir, files, etcdUrl, apiPort });
    const args = [...own, ...(options.apiServerFlags ?? []), ...furtherFlags];
    const started = startProcess({ title: 'kube-apiserver', file: partPath('kube-apiserver'), args });
    apiServer = started;
    processes.add(started);
    await started.untilReady(
      async (inner) => {
        // Its certificate is written at its first start: one read half-way would be believed for ever, so a client
        // is kept only once it has reached the server.
        const candidate = client ?? createClusterClient(url, readFileSync(caFile, 'utf8'), adminToken);
        try {
          const { status } = await candidate.request('GET', '/readyz', { signal: inner });
          client = candidate;
          return status === 200;
        } finally {
          if (client !== candidate) candidate.close();
        }
      },
      readyBound,
      signal,
    );
  }

  async function stopApiServer() {
    if (!apiServer) return;
    await apiServer.stop();
    processes.delete(apiServer);
    apiServer = undefined;
  }

  async function launchEtcd() {
    const started = startProcess({
      title: 'etcd',
      file: options.etcd ?? partPath('etcd'),
      args: etcdArgs(join(dir, 'etcd'), etcdUrl, `http://127.0.0.1:${peerPort}`),
    });
    etcd = started;
    processes.add(started);
    await started.untilReady(async (inner) => isHealthy(etcdUrl, inner), readyBound, signal);
  }

  async function stopEtcd() {
    if (!etcd) return;
    await etcd.stop();
    processes.delete(etcd);
    etcd = undefined;
  }

  async function startEtcd() {
    await launchEtcd();
    await apiServer?.untilReady(
      async (inner) => (await client?.request('GET', '/readyz', { signal: inner }))?.status === 200,
      readyBound,
      signal,
    );
  }

  function signalApiServer(name: 'SIGSTOP' | 'SIGCONT') {
    if (apiServer) process.kill(apiServer.pid, name);
  }

  try {
    await launchEtcd();
    await startApiServer();
    if (!client) throw new Error('the API server is ready and its client is not there');
    const caPem = readFileSync(caFile, 'utf8');
    const kubeconfig = join(dir, 'kubeconfig');
    writeFileSync(kubeconfig, kubeconfigText(url, caPem, adminToken), { mode: 0o600 });
    const objects = createClusterObjects(client);
    await makeDefaults(client, objects, AbortSignal.any([signal, AbortSignal.timeout(defaultsBound)]));
    const { request, must, applyManifest } = client;
    stopWith(scope, stop);
    return {
      ...objects,
      request,
      must,
      applyManifest,
      url,
      caFile,
      caPem,
      adminToken,
      kubeconfig,
      issuer,
      startApiServer,
      stopApiServer,
      stopEtcd,
      startEtcd,
      pauseApiServer: () => signalApiServer('SIGSTOP'),
      continueApiServer: () => signalApiServer('SIGCONT'),
      async restartApiServer(furtherFlags) {
        await stopApiServer();
        await startApiServer(furtherFlags);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function etcdArgs(dataDir: string, clientUrl: string, peerUrl: string): string[] {
  return [
    '--name=test',
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=test=${peerUrl}`,
    '--log-level=error',
    // Nothing here outlives the test, so nothing needs to reach the disk.
    '--unsafe-no-fsync',
  ];
}

function apiServerArgs(at: { dir: string; files: ClusterFiles; etcdUrl: string; apiPort: number }): string[] {
  const { dir, files, etcdUrl, apiPort } = at;
  return [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${apiPort}`,
    '--bind-address=127.0.0.1',
    // With these two it also starts where there is no default route.
    '--advertise-address=10.0.0.1',
    '--endpoint-reconciler-type=none',
    `--cert-dir=${dir}`,
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--service-account-issuer=${issuer}`,
    `--service-account-key-file=${files.publicKey}`,
    `--service-account-signing-key-file=${files.privateKey}`,
    `--api-audiences=${issuer}`,
    '--allow-privileged=true',
  ];
}

async function isHealthy(etcdUrl: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`${etcdUrl}/health`, { signal });
  return (await response.text()).includes('"true"');
}

/** The namespace `default` is made by the API server a moment after it is ready; its service account by nobody. */
async function makeDefaults(
  client: ClusterClient,
  objects: ClusterObjects,
  signal: AbortSignal,
): Promise<void> {
  while ((await client.request('GET', '/api/v1/namespaces/default', { signal })).status !== 200)
    await sleep(systemClock, 50, signal);
  await objects.createServiceAccount('default');
}
