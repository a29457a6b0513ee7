import type { History, NamespaceFact, PodFact, RequestFact, Version } from './history.ts';

/**
 * The states of an object that a process may go by when it answers: from the last that it had been told of before that
 * moment, to the newest there is. With nothing told, also that the object is not known at all.
 */
export function admissible<T>(
  versions: readonly Version<T>[],
  known: number,
  until: number,
): readonly (T | undefined)[] {
  const states = versions
    .filter(({ at, version }) => version >= known && at <= until)
    .map(({ value }) => value);
  return known === 0 ? [undefined, ...states] : states;
}

/** What was possible, at the end of a request, of one pod that may have been taken for the caller. */
export interface Candidate {
  readonly pod: PodFact;
  /** What its namespace may have permitted. */
  readonly namespaces: readonly (NamespaceFact | undefined)[];
}

/** Every state of every pod that may have been taken for the owner of the address. */
export function candidates(history: History, request: RequestFact, to: number): Candidate[] {
  const found: Candidate[] = [];
  for (const [uid, versions] of history.pods) {
    if (!versions.some(({ value }) => value?.addresses.includes(request.address))) continue;
    const known = history.news.known(request.process, uid, to);
    for (const pod of admissible(versions, known, to))
      if (pod && owns(pod, request)) found.push({ pod, namespaces: namespaceOf(history, request, pod, to) });
  }
  return found;
}

/** The pods that must have been taken for owners of the address: whatever was known of them, it said so. */
export function certainOwners(history: History, request: RequestFact, to: number): PodFact[] {
  const found: PodFact[] = [];
  for (const [uid, versions] of history.pods) {
    if (!versions.some(({ value }) => value?.addresses.includes(request.address))) continue;
    const known = history.news.known(request.process, uid, to);
    if (known === 0) continue;
    const states = admissible(versions, known, to);
    const [first] = states;
    if (first && states.every((state) => state && owns(state, request))) found.push(first);
  }
  return found;
}

function namespaceOf(
  { namespaces, news }: History,
  request: RequestFact,
  pod: PodFact,
  to: number,
): readonly (NamespaceFact | undefined)[] {
  const versions = namespaces.get(pod.namespace) ?? [];
  const known = Math.max(
    // What was said of everything before the pod was told of says nothing of it: no news is what concerns no pod of a node.
    news.known(request.process, pod.namespace, to, pod.uid),
    news.known(request.process, namespaceFor(pod.namespace, pod.uid), to),
  );
  return admissible(versions, known, to);
}

/** The key of what is known of a namespace as far as one pod goes: whoever is told of a pod is told what it may have. */
export function namespaceFor(namespace: string, uid: string): string {
  return `${namespace} for ${uid}`;
}

/** Whether a pod in this state is who asks, by all that the Kubernetes API says. */
export function owns(pod: PodFact, { address, node }: Pick<RequestFact, 'address' | 'node'>): boolean {
  return pod.node === node && !pod.hostNetwork && !pod.isFinished && pod.addresses.includes(address);
}

/** Whether the namespace lets its pods have the role. */
export function permits(namespace: NamespaceFact | undefined, roleArn: string): boolean {
  const expression = namespace?.permitted;
  return expression !== undefined && new RegExp(`^(?:${expression})$`).test(roleArn);
}
