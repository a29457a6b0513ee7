import type { ClusterConfig } from '../cluster/cluster-config.ts';
import type { ClusterConnection } from '../cluster/connection.ts';
import { createClusterConnection } from '../cluster/create-connection.ts';
import { watchNamespaces } from '../cluster/namespaces.ts';
import type { Namespace, Pod } from '../cluster/objects.ts';
import { watchPods } from '../cluster/pods.ts';
import type { Watch } from '../cluster/watch.ts';
import {
  type AnnotationKeys,
  keptNamespaceAnnotations,
  keptPodAnnotations,
} from '../roles/annotation-keys.ts';
import type { ProcessContext } from './process-context.ts';
import { addWatchCheck, whenLive } from './watch-health.ts';

export interface WatchClusterOptions {
  readonly context: ProcessContext;
  readonly connection: ClusterConnection;
  readonly keys: AnnotationKeys;
  /** Only the pods of this node. Default: all. Namespaces are watched whole in any case: a pod may be in any. */
  readonly nodeName?: string;
}

/** What a process knows of its cluster. */
export interface WatchedCluster {
  readonly pods: Watch<Pod>;
  readonly namespaces: Watch<Namespace>;
  /** Resolves when the whole has been seen once. */
  readonly whenSynced: Promise<void>;
  /** Watches until the signal aborts, which is when nobody waits for anything of the cluster any more. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** Connects to the API of the cluster, and says which it is. */
export function connectToCluster(config: ClusterConfig, context: ProcessContext): ClusterConnection {
  const { clock, logger } = context;
  logger.info({ server: config.server, source: config.source }, 'using the Kubernetes API');
  return createClusterConnection({ config, clock, logger });
}

/** The watches that decisions are made from, with their checks of readiness. They begin with `run`. */
export function watchCluster({ context, connection, keys, nodeName }: WatchClusterOptions): WatchedCluster {
  const { clock, random, logger, metrics, health } = context;
  const watching = { connection, clock, random, logger, metrics };
  const pods = watchPods({
    ...watching,
    keepAnnotations: keptPodAnnotations(keys),
    ...(nodeName === undefined ? {} : { nodeName }),
  });
  const namespaces = watchNamespaces({ ...watching, keepAnnotations: keptNamespaceAnnotations(keys) });
  addWatchCheck(health, 'pod watch', pods, clock);
  addWatchCheck(health, 'namespace watch', namespaces, clock);
  const podsLive = whenLive(pods);
  const namespacesLive = whenLive(namespaces);
  // kiam's words, which people look for.
  void podsLive.then(() => logger.info({ pods: pods.size }, 'started cache controller'));
  void namespacesLive.then(() =>
    logger.info({ namespaces: namespaces.size }, 'started namespace cache controller'),
  );
  return {
    pods,
    namespaces,
    whenSynced: Promise.all([podsLive, namespacesLive]).then(() => {}),
    async run(signal) {
      await Promise.all([pods.run(signal), namespaces.run(signal)]);
    },
  };
}
