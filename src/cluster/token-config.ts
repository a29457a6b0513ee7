import { PodpassError } from '../base/errors.ts';
import type { ClusterConfig } from './cluster-config.ts';

/**
 * kube2iam's `--api-server` and `--api-token`: an address and a bearer token, and no CA but those that Node trusts.
 *
 * @throws PodpassError ERR_CLUSTER_CONFIG when the token cannot stand in a header
 */
export function tokenConfig({
  server,
  token,
}: {
  readonly server: string;
  readonly token: string;
}): ClusterConfig {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new PodpassError(
      'ERR_CLUSTER_CONFIG',
      '--api-token holds what no token has. Give it without white space.',
    );
  }
  const access = { headers: { authorization: `Bearer ${token}` }, tls: {} };
  return { server: server.replace(/\/+$/, ''), source: '--api-server', access: async () => access };
}
