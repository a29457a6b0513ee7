import type { ClusterConfig } from './cluster-config.ts';

/** kube2iam's `--insecure`: the same cluster, and whoever answers is taken for it. */
export function withoutVerification(config: ClusterConfig): ClusterConfig {
  return {
    ...config,
    async access(options) {
      const { tls, ...rest } = await config.access(options);
      return { ...rest, tls: { ...tls, rejectUnauthorized: false } };
    },
  };
}
