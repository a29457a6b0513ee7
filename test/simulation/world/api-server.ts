import type { FakeClock } from '../../../src/base/fake-clock.ts';
import type { Random } from '../../../src/base/random.ts';
import { type ApiObject, type Change, type ClusterState, createClusterState } from './cluster-state.ts';
import type { Party } from './network.ts';

export const podsPath = '/api/v1/pods';
export const namespacesPath = '/api/v1/namespaces';
export const nodesPath = '/api/v1/nodes';
const reviewsPath = '/apis/authentication.k8s.io/v1/tokenreviews';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A line of a watch, or its end. */
export type WatchLine =
  | {
      readonly kind: 'line';
      readonly value: unknown;
      readonly change?: Change;
      readonly listedAt?: number;
      /** Comes in the same read: who has heard of a later change must not lack this one for long. */
      readonly behind?: WatchLine;
    }
  | { readonly kind: 'end' };

/** Why a watch that is asked for does not begin. */
export type WatchRefusal = ApiAnswer;

/** `lost`, `doubled` and so on: how likely it is that an event of a watch is sent in that way. */
export interface Mangling {
  readonly lost: number;
  readonly doubled: number;
  /** The event comes behind the next one. */
  readonly swapped: number;
  /** An older state of the object comes again behind it. */
  readonly replayed: number;
}

export interface ApiServer extends Party {
  readonly state: ClusterState;
  /** Whether lists are streamed, and what happens where not. */
  readonly streamsLists: boolean;
  mangling: Mangling | undefined;
  answer(request: ApiRequest): ApiAnswer;
  /** Begins a watch. `send` gets each line as it happens; returns how to end it, or why there is none. */
  watch(request: ApiRequest, send: (line: WatchLine) => void): (() => void) | WatchRefusal;
  /** Ends all watches in order. */
  endWatches(): void;
}

export interface ApiServerOptions {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly streamsLists: boolean;
  readonly onChange: (change: Change) => void;
  /** The pod that an agent's token was made for, if it is one. */
  readonly podOfToken: (token: string) => { uid: string; name: string; nodeName: string } | undefined;
}

interface OpenWatch {
  readonly path: string;
  readonly selector: string | undefined;
  readonly send: (line: WatchLine) => void;
  readonly stop: () => void;
  swapped: WatchLine | undefined;
}

const bookmarkMillis = 60_000;

/** The Kubernetes API of a simulation. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { clock, random, streamsLists, onChange, podOfToken } = options;
  const watches = new Set<OpenWatch>();
  const state = createClusterState((change) => {
    onChange(change);
    for (const watch of [...watches]) if (watch.path === change.path) tell(watch, change);
  });

  function tell(watch: OpenWatch, change: Change): void {
    if (!selects(watch.selector, change.object)) return;
    const line: WatchLine = { kind: 'line', value: { type: change.type, object: change.object }, change };
    const { swapped } = watch;
    const { mangling } = server;
    watch.swapped = undefined;
    if (mangling && !swapped) {
      const draw = random.next();
      if (draw < mangling.lost) return;
      if (draw < mangling.lost + mangling.swapped) {
        watch.swapped = line;
        return;
      }
    }
    watch.send(swapped ? { ...line, behind: swapped } : line);
    if (mangling && random.next() < mangling.doubled) watch.send(line);
    if (mangling && random.next() < mangling.replayed) replay(watch, change);
  }

  /** Sends an older state of the object once more. */
  function replay(watch: OpenWatch, { object, path, version }: Change): void {
    const older = state
      .since(path, 0)
      ?.filter((change) => change.object.metadata.uid === object.metadata.uid && change.version < version);
    const change = older?.[Math.floor(random.next() * older.length)];
    if (change) watch.send({ kind: 'line', value: { type: change.type, object: change.object }, change });
  }

  function bookmark(endsList: boolean): WatchLine {
    const annotations = endsList ? { 'k8s.io/initial-events-end': 'true' } : {};
    const { version } = state;
    const value = {
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: String(version), annotations } },
    };
    return endsList ? { kind: 'line', value, listedAt: version } : { kind: 'line', value };
  }

  function list({ path, query }: ApiRequest): ApiAnswer {
    const items = state.values(path).filter((object) => selects(query.fieldSelector, object));
    return {
      status: 200,
      body: { kind: 'List', metadata: { resourceVersion: String(state.version) }, items },
    };
  }

  function review(body: unknown): ApiAnswer {
    const { spec } = body as { spec: { token: string; audiences: string[] } };
    const pod = podOfToken(spec.token);
    if (!pod) return { status: 201, body: { status: { authenticated: false } } };
    const extra = {
      'authentication.kubernetes.io/pod-name': [pod.name],
      'authentication.kubernetes.io/pod-uid': [pod.uid],
      'authentication.kubernetes.io/node-name': [pod.nodeName],
    };
    const user = { username: 'system:serviceaccount:kube-system:podpass-agent', uid: 'sa', extra };
    return { status: 201, body: { status: { authenticated: true, audiences: spec.audiences, user } } };
  }

  const server: ApiServer = {
    name: 'api',
    place: 'api',
    isListening: true,
    isDead: false,
    state,
    streamsLists,
    mangling: undefined,
    answer(request) {
      if (request.path === reviewsPath) return review(request.body);
      if (request.method === 'GET') return list(request);
      // Kubernetes events: taken, and not looked at here.
      return { status: 201, body: {} };
    },
    watch({ path, query }, send) {
      const isList = query.sendInitialEvents === true;
      if (isList && !streamsLists)
        return failure(422, 'Invalid', 'sendInitialEvents is forbidden for watch of this server');
      const from = Number(query.resourceVersion ?? state.version);
      const missed = isList ? [] : state.since(path, from);
      if (!missed) return failure(410, 'Expired', `too old resource version: ${from}`);
      const selector = query.fieldSelector as string | undefined;
      const timers = [
        setEvery(bookmarkMillis, () => send(bookmark(false))),
        clock.setTimer(Number(query.timeoutSeconds) * 1_000, () => stop(true)),
      ];
      const stop = (isTold: boolean) => {
        if (!watches.delete(watch)) return;
        for (const timer of timers) timer.cancel();
        if (isTold) send({ kind: 'end' });
      };
      const watch: OpenWatch = { path, selector, send, stop: () => stop(true), swapped: undefined };
      if (isList) {
        for (const object of state.values(path))
          if (selects(selector, object)) send({ kind: 'line', value: { type: 'ADDED', object } });
        send(bookmark(true));
      }
      watches.add(watch);
      for (const change of missed) tell(watch, change);
      return () => stop(false);
    },
    endWatches() {
      for (const watch of [...watches]) watch.stop();
    },
  };

  function setEvery(millis: number, fn: () => void): { cancel(): void } {
    let timer = clock.setTimer(millis, again);
    function again(): void {
      timer = clock.setTimer(millis, again);
      fn();
    }
    return { cancel: () => timer.cancel() };
  }

  return server;
}

export function failure(code: number, reason: string, message: string): ApiAnswer {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', code, reason, message } };
}

function selects(selector: unknown, { spec }: ApiObject): boolean {
  return typeof selector !== 'string' || selector === `spec.nodeName=${spec?.nodeName}`;
}
