import { type Announcer, startAnnouncer } from '../broker/announcer.ts';
import { createDecider, type Decider } from '../broker/decider.ts';
import { startNamespaceAnnouncer } from '../broker/namespace-announcer.ts';
import type { PodTable } from '../broker/pod-table.ts';
import type { ClusterConnection } from '../cluster/connection.ts';
import { createEventRecorder, type EventRecorder } from '../cluster/event-recorder.ts';
import type { StsBackend } from '../credentials/session.ts';
import { createSessionCache } from '../credentials/session-cache.ts';
import type { Decide } from '../roles/decide.ts';
import type { ProcessContext } from './process-context.ts';
import type { WatchedCluster } from './watch-cluster.ts';

export interface StartDecidingOptions {
  readonly context: ProcessContext;
  readonly cluster: WatchedCluster;
  readonly connection: ClusterConnection;
  readonly backend: StsBackend;
  readonly decide: Decide;
  /** Where the decisions go. */
  readonly table: PodTable;
  /** Whether the credentials of this node's pods are this process's business. */
  readonly isFed: (nodeName: string) => boolean;
  /** Who its Kubernetes events say they are from. */
  readonly component: string;
  /** Credentials are fetched again when this is left of them, if half of them is not over sooner. */
  readonly refreshMillis?: number;
  readonly callsPerSecond: number;
}

export interface Deciding extends Pick<Decider & Announcer, 'feedChanged'> {
  readonly events: EventRecorder;
  /** Decides nothing more, lets go of all sessions, and gives what is still to be said to Kubernetes a moment. */
  stop(): Promise<void>;
}

/** How long what is to be said to Kubernetes may take at the end. */
const eventMillis = 2_000;

/**
 * Answers the second, third and fourth question for every pod of the watch, and goes on doing so: decisions, sessions,
 * and the events that tell people what went wrong.
 */
export function startDeciding(options: StartDecidingOptions): Deciding {
  const { cluster, table, isFed, refreshMillis, callsPerSecond } = options;
  const { clock, random, logger, metrics } = options.context;
  const sessions = createSessionCache({
    backend: options.backend,
    clock,
    random,
    logger,
    metrics,
    ...(refreshMillis === undefined ? {} : { refreshMillis }),
    callsPerSecond,
    burst: 2 * callsPerSecond,
  });
  const decider = createDecider({
    pods: cluster.pods,
    namespaces: cluster.namespaces,
    decide: options.decide,
    sessions,
    table,
    isFed,
    clock,
    metrics,
  });
  const events = createEventRecorder({
    connection: options.connection,
    component: options.component,
    clock,
    random,
    logger,
    metrics,
  });
  const announcer = startAnnouncer({
    table,
    isFed,
    logger,
    record: ({ pod, reason, message }) =>
      events.record({
        object: { kind: 'Pod', apiVersion: 'v1', namespace: pod.namespace, name: pod.name, uid: pod.uid },
        type: 'Warning',
        reason,
        message,
      }),
  });
  const namespaceAnnouncer = startNamespaceAnnouncer({
    table,
    namespaces: cluster.namespaces,
    isFed,
    logger,
    record: ({ namespace: { name, uid }, reason, message }) =>
      events.record({
        // In the namespace itself, where its people may read events.
        object: { kind: 'Namespace', apiVersion: 'v1', namespace: name, name, uid },
        type: 'Warning',
        reason,
        message,
      }),
  });
  const stopDeciding = decider.start();
  return {
    events,
    feedChanged(nodeName) {
      decider.feedChanged(nodeName);
      announcer.feedChanged(nodeName);
      namespaceAnnouncer.feedChanged(nodeName);
    },
    async stop() {
      announcer.stop();
      namespaceAnnouncer.stop();
      stopDeciding();
      sessions.close();
      await events.close(eventMillis);
    },
  };
}
