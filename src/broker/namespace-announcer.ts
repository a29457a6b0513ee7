import type { Namespace } from '../cluster/objects.ts';
import { sameAnnotations } from '../cluster/same-annotations.ts';
import type { Watch } from '../cluster/watch.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Announcer } from './announcer.ts';
import type { PodView } from './broker.ts';
import type { PodTable } from './pod-table.ts';
import { renderInvalidRule } from './render-answer.ts';

/** An event about a namespace. `message` is for a person and holds no secret. */
export interface NamespaceEvent {
  readonly namespace: Namespace;
  readonly reason: 'PodpassNamespaceRuleInvalid';
  readonly message: string;
}

export interface NamespaceAnnouncerOptions {
  readonly table: PodTable;
  readonly namespaces: Watch<Namespace>;
  /** Only namespaces with a pod on one of these nodes that asks for a role: of several servers, those speak that decide. */
  readonly isFed: (nodeName: string) => boolean;
  readonly record: (event: NamespaceEvent) => void;
  readonly logger: Logger;
}

/**
 * Says of a namespace that its rule cannot be read, as a Kubernetes event and a log line: once, until its annotations
 * change, however many pods it has. Each pod's own event says so too, but the owner of the pod may not be whoever can
 * mend the namespace.
 *
 * Start it before the decider, so that it hears of a namespace's change before the decisions that follow from it.
 */
export function startNamespaceAnnouncer(options: NamespaceAnnouncerOptions): Announcer {
  const { table, namespaces, isFed, record, logger } = options;
  /** By UID. */
  const said = new Set<string>();

  function announce({ nodeName, namespace: name, decision }: PodView): void {
    if (decision.kind !== 'forbidden' || decision.refusal.rule !== 'invalid' || !isFed(nodeName)) return;
    const namespace = namespaces.getByName('', name);
    if (!namespace || said.has(namespace.uid)) return;
    said.add(namespace.uid);
    const reason = 'PodpassNamespaceRuleInvalid';
    const message = renderInvalidRule(name, decision.refusal);
    record({ namespace, reason, message });
    logger.warn({ namespace: name, reason }, message);
  }

  const stopNamespaces = namespaces.subscribe({
    upsert(namespace, previous) {
      if (!previous || !sameAnnotations(namespace, previous)) said.delete(namespace.uid);
    },
    remove: ({ uid }) => said.delete(uid),
    status: () => {},
  });
  const stopTable = table.subscribe({ upsert: announce, remove: () => {} });
  return {
    feedChanged(nodeName) {
      for (const view of table.values()) if (view.nodeName === nodeName) announce(view);
    },
    stop() {
      stopTable();
      stopNamespaces();
    },
  };
}
