import type { RunningPod } from './kubelet.ts';
import { openPodDoor, type PodDoor } from './pod-door.ts';

/** What answers a pod: an agent with a server behind it, or one process that is both. */
export type Mode = 'split' | 'standalone';

/** Two doors into the same pod: one for clients that speak IMDSv2, one that makes them use IMDSv1. */
export interface DoorPair {
  readonly v1: string;
  readonly v2: string;
}

/** The doors of a pod. Whichever of them is taken, the caller has the pod's address. */
export interface DoorsOfPod extends Readonly<Record<Mode, DoorPair>> {
  readonly pod: RunningPod;
}

/** The doors of all pods of a sandbox. */
export interface PodDoors {
  open(pod: RunningPod): void;
  shut(pod: RunningPod): void;
  /** By namespace and name. */
  find(namespace: string, name: string): DoorsOfPod | undefined;
  list(): readonly DoorsOfPod[];
  /** Resolves when what was opened is open. */
  settled(): Promise<void>;
  /** Calls `fn` after each change, with the doors if some were opened. */
  onChange(fn: (opened?: DoorsOfPod) => void): void;
  /** Calls `fn` when the doors of a pod cannot be opened, which leaves the pod without any. */
  onFailure(fn: (pod: RunningPod, error: unknown) => void): void;
  close(): Promise<void>;
}

export interface PodDoorsOptions {
  /** Where the metadata door of each is. */
  readonly to: Readonly<Record<Mode, { readonly host: string; readonly port: number }>>;
  /** Where the doors are. Default 127.0.0.1. */
  readonly listenHost?: string;
}

export function createPodDoors({ to, listenHost = '127.0.0.1' }: PodDoorsOptions): PodDoors {
  const opening = new Map<string, Promise<void>>();
  const doors = new Map<string, DoorsOfPod & { readonly all: readonly PodDoor[] }>();
  const listeners = new Set<(opened?: DoorsOfPod) => void>();
  const failureListeners = new Set<(pod: RunningPod, error: unknown) => void>();
  const changed = (opened?: DoorsOfPod) => {
    for (const fn of listeners) fn(opened);
  };

  async function openAll(pod: RunningPod): Promise<void> {
    const open = (mode: Mode, imds: 'v1' | 'v2') =>
      openPodDoor({ podAddress: pod.address, agent: to[mode], imds, listenHost, port: 0 });
    const [v1, v2, standaloneV1, standaloneV2] = await Promise.all([
      open('split', 'v1'),
      open('split', 'v2'),
      open('standalone', 'v1'),
      open('standalone', 'v2'),
    ]);
    const opened = {
      pod,
      split: { v1: v1.url, v2: v2.url },
      standalone: { v1: standaloneV1.url, v2: standaloneV2.url },
      all: [v1, v2, standaloneV1, standaloneV2],
    };
    doors.set(pod.uid, opened);
    changed(opened);
  }

  async function shut(uid: string): Promise<void> {
    await opening.get(uid)?.catch(() => {});
    opening.delete(uid);
    const found = doors.get(uid);
    doors.delete(uid);
    await Promise.all(found?.all.map((door) => door.close()) ?? []);
    if (found) changed();
  }

  return {
    open(pod) {
      const opened = openAll(pod);
      opening.set(pod.uid, opened);
      opened.catch((error: unknown) => {
        for (const fn of failureListeners) fn(pod, error);
      });
    },
    shut: (pod) => void shut(pod.uid),
    find: (namespace, name) =>
      [...doors.values()].find(({ pod }) => pod.namespace === namespace && pod.name === name),
    list: () => [...doors.values()],
    async settled() {
      await Promise.all(opening.values());
    },
    onChange: (fn) => void listeners.add(fn),
    onFailure: (fn) => void failureListeners.add(fn),
    async close() {
      listeners.clear();
      await Promise.all([...opening.keys()].map(shut));
    },
  };
}
