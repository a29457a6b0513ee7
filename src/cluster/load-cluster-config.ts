import type { Clock } from '../base/clock.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { isInCluster, loadInClusterConfig } from './in-cluster.ts';
import { loadKubeconfig } from './kubeconfig.ts';

export interface LoadClusterConfigOptions {
  /** `--kubeconfig`. Empty or absent: inside a cluster the pod's service account, elsewhere the person's own file. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig. Asking for one asks for a kubeconfig. */
  readonly context?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** For the pod's service account. Default: as kubelet mounts it. */
  readonly directory?: string;
}

/**
 * Finds out how the cluster's API is reached, as kubectl does.
 *
 * @throws PodpassError ERR_CLUSTER_CONFIG
 */
export function loadClusterConfig(options: LoadClusterConfigOptions): Promise<ClusterConfig> {
  const { kubeconfig, context, env, clock, directory } = options;
  if (!kubeconfig && !context && isInCluster(env)) {
    return loadInClusterConfig({ env, clock, ...(directory && { directory }) });
  }
  return loadKubeconfig({ env, ...(kubeconfig && { path: kubeconfig }), ...(context && { context }) });
}
