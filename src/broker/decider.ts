import type { Clock } from '../base/clock.ts';
import type { Namespace, Pod } from '../cluster/objects.ts';
import { sameAnnotations } from '../cluster/same-annotations.ts';
import type { Watch } from '../cluster/watch.ts';
import type { SessionCache, SessionIdentity, SessionLease, SessionState } from '../credentials/session.ts';
import { claimedAddresses, isFinished } from '../identity/address-claims.ts';
import type { Decision } from '../roles/decision.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PodView } from './broker.ts';
import type { PodTable } from './pod-table.ts';

export interface DeciderOptions {
  readonly pods: Watch<Pod>;
  readonly namespaces: Watch<Namespace>;
  /** The four questions' second and third: which role, and may it. Pure. */
  readonly decide: (pod: Pod, namespace: Namespace | undefined) => Decision;
  readonly sessions: SessionCache;
  readonly table: PodTable;
  /** Whether the credentials of this node's pods are this process's business. */
  readonly isFed: (nodeName: string) => boolean;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/**
 * Turns the cluster's events into decisions, and decisions into sessions: the half of the broker that an agent does
 * not have. Everything is pushed: a pod annotated later, a namespace permitted later, a session refreshed or
 * refused, each lead to a new view in the table without anybody asking.
 */
export interface Decider {
  /** Decides about all that is known and then about each change. Returns how to stop. */
  start(): () => void;
  /** Says that a node became this process's business, or ceased to be. */
  feedChanged(nodeName: string): void;
}

/** What is held of one pod beside its view. */
interface Entry {
  pod: Pod;
  namespace: Namespace | undefined;
  decision: Decision;
  addresses: readonly string[];
  /** When the pod was first seen to need a session (monotonic ms), until it has one. */
  waitingSince: number | undefined;
  session: { readonly identity: SessionIdentity; readonly lease: SessionLease } | undefined;
}

const pending: SessionState = { kind: 'pending' };

export function createDecider(options: DeciderOptions): Decider {
  const { pods, namespaces, sessions, table, clock, metrics } = options;
  const entries = new Map<string, Entry>();
  const byNamespace = new Map<string, Set<string>>();
  const byNode = new Map<string, Set<string>>();

  /** Host-network pods share the node's address, and finished ones own none: neither is ever answered by address. */
  function isOurs(pod: Pod): boolean {
    return !pod.hostNetwork && !isFinished(pod);
  }

  function onPod(pod: Pod): void {
    const known = entries.get(pod.uid);
    if (!isOurs(pod)) {
      if (known) forget(known);
      return;
    }
    const namespace = namespaces.getByName('', pod.namespace);
    if (known) {
      if (known.pod.nodeName !== pod.nodeName) moveNode(known.pod, pod);
      if (!sameAnnotations(known.pod, pod) || !sameAddresses(known.pod, pod) || known.namespace !== namespace)
        known.decision = options.decide(pod, namespace);
      known.pod = pod;
      known.namespace = namespace;
      known.addresses = keepEqual(known.addresses, claimedAddresses(pod));
      refresh(known);
      return;
    }
    const entry: Entry = {
      pod,
      namespace,
      decision: options.decide(pod, namespace),
      addresses: claimedAddresses(pod),
      waitingSince: undefined,
      session: undefined,
    };
    entries.set(pod.uid, entry);
    addTo(byNamespace, pod.namespace, pod.uid);
    addTo(byNode, pod.nodeName, pod.uid);
    refresh(entry);
  }

  function onNamespace(name: string, namespace: Namespace | undefined, previous?: Namespace): void {
    const isSame = namespace !== undefined && previous !== undefined && sameAnnotations(namespace, previous);
    for (const uid of byNamespace.get(name) ?? []) {
      const entry = entries.get(uid);
      if (!entry) continue;
      entry.namespace = namespace;
      if (isSame) continue;
      entry.decision = options.decide(entry.pod, namespace);
      refresh(entry);
    }
  }

  /** Brings session and view in line with the decision. */
  function refresh(entry: Entry): void {
    const wanted = wantedSession(entry);
    if (!wanted || !entry.session || !sameIdentity(wanted, entry.session.identity)) {
      const old = entry.session;
      entry.session = wanted && {
        identity: wanted,
        lease: sessions.acquire(wanted, () => publish(entry)),
      };
      // After the new claim, so that a shared session is never forgotten in between.
      old?.lease.release();
      entry.waitingSince = wanted && clock.monotonic();
    }
    publish(entry);
  }

  function wantedSession({ decision, pod }: Entry): SessionIdentity | undefined {
    if (decision.kind !== 'granted' || !options.isFed(pod.nodeName)) return undefined;
    return { roleArn: decision.role.arn, ...decision.session };
  }

  function publish(entry: Entry): void {
    const { pod, decision, addresses } = entry;
    const session = entry.session?.lease.state ?? pending;
    if (session.kind === 'issued' && entry.waitingSince !== undefined) {
      metrics.feedLatency.observe((clock.monotonic() - entry.waitingSince) / 1_000);
      entry.waitingSince = undefined;
    }
    const known = table.get(pod.uid);
    if (
      known &&
      known.decision === decision &&
      known.session === session &&
      known.addresses === addresses &&
      known.nodeName === pod.nodeName
    ) {
      return;
    }
    const view: PodView = {
      uid: pod.uid,
      namespace: pod.namespace,
      name: pod.name,
      nodeName: pod.nodeName,
      addresses,
      decision,
      session,
    };
    table.upsert(view);
  }

  function forget(entry: Entry): void {
    const { uid, namespace, nodeName } = entry.pod;
    entries.delete(uid);
    removeFrom(byNamespace, namespace, uid);
    removeFrom(byNode, nodeName, uid);
    table.remove(uid);
    entry.session?.lease.release();
  }

  function moveNode(from: Pod, to: Pod): void {
    removeFrom(byNode, from.nodeName, from.uid);
    addTo(byNode, to.nodeName, to.uid);
  }

  return {
    start() {
      const stopNamespaces = namespaces.subscribe({
        upsert: (namespace, previous) => onNamespace(namespace.name, namespace, previous),
        remove: (namespace) => onNamespace(namespace.name, undefined),
        status: () => {},
      });
      const stopPods = pods.subscribe({
        upsert: onPod,
        remove: (pod) => {
          const entry = entries.get(pod.uid);
          if (entry) forget(entry);
        },
        status: () => {},
      });
      return () => {
        stopPods();
        stopNamespaces();
        for (const entry of [...entries.values()]) forget(entry);
      };
    },
    feedChanged(nodeName) {
      for (const uid of [...(byNode.get(nodeName) ?? [])]) {
        const entry = entries.get(uid);
        if (entry) refresh(entry);
      }
    },
  };
}

/** An address may be part of a session's name. */
function sameAddresses({ podIPs: a }: Pod, { podIPs: b }: Pod): boolean {
  return a.length === b.length && a.every((address, i) => address === b[i]);
}

function sameIdentity(a: SessionIdentity, b: SessionIdentity): boolean {
  return a.roleArn === b.roleArn && a.sessionName === b.sessionName && a.externalId === b.externalId;
}

/** The old list where the new one says the same, so that views can be compared by reference. */
function keepEqual(old: readonly string[], fresh: readonly string[]): readonly string[] {
  return old.length === fresh.length && old.every((address, i) => address === fresh[i]) ? old : fresh;
}

function addTo(map: Map<string, Set<string>>, key: string, uid: string): void {
  const set = map.get(key);
  if (set) set.add(uid);
  else map.set(key, new Set([uid]));
}

function removeFrom(map: Map<string, Set<string>>, key: string, uid: string): void {
  const set = map.get(key);
  set?.delete(uid);
  if (set?.size === 0) map.delete(key);
}
