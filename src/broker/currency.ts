import { compareResourceVersions } from '../cluster/resource-version.ts';
import type { Watch, WatchPosition } from '../cluster/watch.ts';

/** The newest changes that somebody has been told of, as resource versions. Empty: none. */
export interface SeenVersions {
  readonly pods: string;
  readonly namespaces: string;
}

/** What an agent asks of a server before it goes by what the server says. */
export interface CurrencyRequirement {
  /** Whether the server has to be in touch with the Kubernetes API. */
  readonly inTouch: boolean;
  /** What the agent knows already: a server that knows less would take it back in time. */
  readonly seen: SeenVersions;
}

/**
 * How up to date a server is. Servers hear of changes each for itself, and one may be minutes behind another: cut off
 * from the API server and aware of it, or behind a connection that died without a word. An agent that went over to such
 * a one would serve what has been forbidden, or what belonged to the last owner of an address.
 */
export interface Currency {
  /** The newest changes that were taken in. The same object as long as there are no newer ones. */
  readonly seen: SeenVersions;
  readonly isInTouch: boolean;
  /** Why an agent that requires this should not go by this server. */
  objection(requirement: CurrencyRequirement): 'out-of-touch' | 'behind' | undefined;
  /** Calls `fn` each time that contact with the Kubernetes API is lost. Returns how to stop. */
  onOutOfTouch(fn: () => void): () => void;
}

/** The part of a watch that says how far it has come. */
type Position = Pick<Watch<never>, 'status' | 'position'> & {
  subscribe(listener: { upsert(): void; remove(): void; status(): void }): () => void;
};

/** Decisions are made from pods and namespaces: both count. */
export function createCurrency({ pods, namespaces }: { pods: Position; namespaces: Position }): Currency {
  const watches = [pods, namespaces];
  const listeners = new Set<() => void>();
  let seen: SeenVersions = { pods: '', namespaces: '' };
  let wasInTouch = isInTouch();

  function isInTouch(): boolean {
    return watches.every(({ status }) => status.kind === 'live');
  }

  for (const watch of watches) {
    watch.subscribe({
      upsert() {},
      remove() {},
      status() {
        const isNow = isInTouch();
        if (wasInTouch && !isNow) for (const fn of [...listeners]) fn();
        wasInTouch = isNow;
      },
    });
  }

  return {
    get seen() {
      const now = { pods: pods.position.changed ?? '', namespaces: namespaces.position.changed ?? '' };
      if (now.pods !== seen.pods || now.namespaces !== seen.namespaces) seen = now;
      return seen;
    },
    get isInTouch() {
      return isInTouch();
    },
    objection(requirement) {
      if (isBehind(pods.position, requirement.seen.pods)) return 'behind';
      if (isBehind(namespaces.position, requirement.seen.namespaces)) return 'behind';
      return requirement.inTouch && !isInTouch() ? 'out-of-touch' : undefined;
    },
    onOutOfTouch(fn) {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
  };
}

/** Before the first list nothing is told, and that list is of its moment. What cannot be compared is not held against anybody. */
function isBehind({ known }: WatchPosition, required: string): boolean {
  if (known === undefined || required === '') return false;
  return (compareResourceVersions(known, required) ?? 0) < 0;
}
