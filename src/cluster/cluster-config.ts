import type { Agent } from 'node:http';

/**
 * How one cluster's API is reached: the same shape whether it came from a pod's service account (`in-cluster.ts`) or
 * from a person's kubeconfig (`kubeconfig.ts`).
 */
export interface ClusterConfig {
  /** `https://10.96.0.1:443`, with a path where the API server is behind one. No slash at the end. */
  readonly server: string;
  /** Where this came from, for messages: `service account of this pod`, `context dev of /home/ann/.kube/config`. */
  readonly source: string;
  /** The namespace that is meant where none is named. */
  readonly namespace?: string;
  /**
   * What to show the API server now. Asked before each request, so that whatever was rotated is taken up without a
   * restart; it must be cheap.
   *
   * @throws PodpassError ERR_CLUSTER_CONFIG when there is nothing to show.
   */
  access(options: AccessOptions): Promise<ClusterAccess>;
}

export interface AccessOptions {
  /** The API server answered 401 to what was shown last: nothing that was kept from before may be shown again. */
  readonly refused: boolean;
}

export interface ClusterAccess {
  /** Request headers that say who is asking (`authorization`, `impersonate-user`). Secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ClusterTls;
  /** Carries the connections in place of the connection's own agent: a kubeconfig that names a proxy. */
  readonly agent?: Agent;
}

/** In PEM. What is absent is Node's default. */
export interface ClusterTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must have, where it is not the host of the address. */
  readonly servername?: string;
  /** `false` only where a person's kubeconfig says `insecure-skip-tls-verify`. */
  readonly rejectUnauthorized?: boolean;
}
