import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Certificates } from './certificates.ts';
import { type ClusterApi, createClusterApi } from './cluster-api/create-cluster-api.ts';
import { loadManifests } from './cluster-api/manifests.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';
import type { Teardown } from './teardown.ts';

/** The cluster of a sandbox, with the objects of its manifests. */
export interface SandboxCluster {
  readonly api: ClusterApi;
  readonly url: string;
  /** Path of a file with which `kubectl` may do everything. */
  readonly kubeconfig: string;
}

export interface StartClusterOptions {
  readonly manifests: string;
  readonly folder: string;
  readonly certificates: Certificates;
  readonly host: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly teardown: Teardown;
}

/** Files beside the manifests that are not objects of the cluster. */
const besideManifests = ['roles.yaml', 'expected.yaml'];

/** @throws PodpassError ERR_SANDBOX naming the file that cannot be used */
export async function startCluster(options: StartClusterOptions): Promise<SandboxCluster> {
  const { manifests, folder, certificates, host, clock, random, teardown } = options;
  const token = Buffer.from(random.bytes(24)).toString('base64url');
  const api = createClusterApi({ clock, random, adminToken: token, tls: certificates.server });
  const { url, close } = await api.listen(host, 0);
  teardown.add(close);
  await loadManifests(api.store, manifests, { except: besideManifests });
  const kubeconfig = join(folder, 'kubeconfig');
  await writeKubeconfig(kubeconfig, { server: url, token, ca: certificates.ca });
  return { api, url, kubeconfig };
}
