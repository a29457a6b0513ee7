import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import {
  type ClusterApi,
  createClusterApi,
  type ListeningClusterApi,
} from '../../src/sandbox/cluster-api/create-cluster-api.ts';
import { type ClusterClient, createClusterClient } from '../parts/cluster-client.ts';
import { kubeconfigText } from '../parts/cluster-files.ts';
import { type ClusterObjects, createClusterObjects } from '../parts/cluster-objects.ts';
import { freePorts } from '../parts/free-ports.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import type { Harness } from './harness.ts';

/** The sandbox's cluster API in this process, for what needs no real one. */
export interface SmallCluster extends Omit<ClusterObjects, 'createNamespace'>, ClusterClient {
  readonly api: ClusterApi;
  readonly kubeconfig: string;
  createNamespace(name: string, annotations?: Readonly<Record<string, string>>): Promise<void>;
  /** As an API server that is killed. */
  stopListening(): Promise<void>;
  /** At the same address as before. */
  listenAgain(): Promise<void>;
}

const adminToken = 'podpass-test-administrator';

export async function startSmallCluster(
  scope: Scope,
  { folder, tls }: Pick<Harness, 'folder' | 'tls'>,
): Promise<SmallCluster> {
  const [port = 0] = await freePorts(1);
  const api = createClusterApi({
    clock: systemClock,
    random: systemRandom,
    adminToken,
    tls: tls.certificates.server,
  });
  let listening: ListeningClusterApi | undefined;
  async function listenAgain(): Promise<void> {
    listening ??= await api.listen('127.0.0.1', port);
  }
  async function stopListening(): Promise<void> {
    await listening?.close();
    listening = undefined;
  }
  await listenAgain();
  const url = `https://127.0.0.1:${port}`;
  const client = createClusterClient(url, tls.certificates.ca, adminToken);
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigText(url, tls.certificates.ca, adminToken), { mode: 0o600 });
  stopWith(scope, async () => {
    client.close();
    await stopListening();
  });
  return {
    ...client,
    ...createClusterObjects(client),
    api,
    kubeconfig,
    stopListening,
    listenAgain,
    async createNamespace(name, annotations = {}) {
      // Its service account comes with it here.
      const metadata = { name, annotations };
      await client.must('POST', '/api/v1/namespaces', {
        body: { apiVersion: 'v1', kind: 'Namespace', metadata },
      });
    },
  };
}
