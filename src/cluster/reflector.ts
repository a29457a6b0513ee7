import { createBackoff } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { messageOf, PodpassError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { isPassing } from './api-status.ts';
import { type ClusterConnection, describeFailure } from './connection.ts';
import { type FollowOutcome, followChanges } from './follow-changes.ts';
import { createFreshness } from './freshness.ts';
import { listPages } from './list-pages.ts';
import type { ClusterObject } from './objects.ts';
import { createOccasion } from './occasion.ts';
import { describeRaw, type Projection, projectIdentity } from './project-object.ts';
import { newerResourceVersion } from './resource-version.ts';
import { createStore } from './store.ts';
import { streamList } from './stream-list.ts';
import type { Watch, WatchStatus } from './watch.ts';
import type { WatchEvent } from './watch-event.ts';

export interface WatchedResource {
  /** `/api/v1/pods`. */
  readonly path: string;
  /** The label of metrics and log lines: `pods`. */
  readonly name: string;
  /** Only `metadata` is asked for (PartialObjectMetadata). A server that cannot do that sends whole objects. */
  readonly metadataOnly?: boolean;
}

/** What a watch needs, whatever it watches. */
export interface ReflectorSettings {
  readonly connection: ClusterConnection;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly timeouts?: Partial<ReflectorTimeouts>;
  /** Ask for streamed lists until the API server refuses. Default true. */
  readonly streamLists?: boolean;
}

export interface ReflectorOptions<T extends ClusterObject> extends ReflectorSettings {
  readonly resource: WatchedResource;
  /** `spec.nodeName=node-1`. */
  readonly fieldSelector?: string;
  readonly project: Projection<T>;
}

export interface ReflectorTimeouts {
  /** A watch is asked to end after this to twice this, at random, so that watches spread over the API servers. */
  readonly watchSeconds: number;
  /** Until the head of a stream's answer is there. */
  readonly openMillis: number;
  /** For one page of a list. */
  readonly pageMillis: number;
  /** A watch without a byte for so long is opened again. API servers send a bookmark about once a minute. */
  readonly silenceMillis: number;
  /** A streamed list without a byte for so long is no streamed list. */
  readonly listSilenceMillis: number;
  /** So long a watch may be between two connections before it is stale. */
  readonly graceMillis: number;
}

const defaultTimeouts: ReflectorTimeouts = {
  // client-go's: 5 to 10 minutes.
  watchSeconds: 300,
  openMillis: 15_000,
  pageMillis: 60_000,
  silenceMillis: 180_000,
  listSilenceMillis: 30_000,
  graceMillis: 2_000,
};

const backoffBounds = { initial: 250, max: 15_000 };
/** A watch that lived this long was a good one, even if nothing happened on it. */
const healthyMillis = 10_000;
/** Opened again at once only if it lived this long: whatever ends watches as they begin must not be hammered. */
const shortMillis = 1_000;
/** So many streamed lists may be interrupted, one after the other, before pages are tried. */
const maxInterruptedLists = 3;
/** So many watches may fail at one place, one after the other, before the whole is listed again. */
const maxFailuresInPlace = 3;
/** So many watches may be silent from end to end, one after the other, before the whole is listed again. */
const maxSilentWatches = 2;

type ListReason = 'start' | 'expired' | 'refused' | 'silent';
type Step =
  | { readonly do: 'list'; readonly reason: ListReason }
  | { readonly do: 'follow'; readonly from: string };

/**
 * Holds a resource of the cluster in memory and keeps it up to date: lists it, then follows its changes, for as long
 * as `run` runs. Whatever the API server or the network does, what was known stays served, and `status` says how far
 * it can be trusted.
 *
 * @example
 * ```ts
 * const pods = createReflector({
 *   connection,
 *   resource: { path: '/api/v1/pods', name: 'pods' },
 *   project: (raw) => projectPod(raw, new Set(['iam.amazonaws.com/role'])),
 *   clock: systemClock, random: systemRandom, logger, metrics,
 * });
 * pods.subscribe({ upsert: (pod) => {}, remove: (pod) => {}, status: ({ kind }) => {} });
 * await pods.run(signal);
 * ```
 */
export function createReflector<T extends ClusterObject>(options: ReflectorOptions<T>): Watch<T> {
  const { connection, resource, fieldSelector, project, clock, random, metrics } = options;
  const logger = options.logger.child({ resource: resource.name });
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const labels = { resource: resource.name };
  const request = {
    connection,
    path: resource.path,
    ...(fieldSelector && { fieldSelector }),
  };
  const listAccept = resource.metadataOnly ? { accept: acceptMetadata('PartialObjectMetadataList') } : {};
  const watchAccept = resource.metadataOnly ? { accept: acceptMetadata('PartialObjectMetadata') } : {};
  const store = createStore<T>({ logger, resource: resource.name, status: () => freshness.status });
  const freshness = createFreshness({
    clock,
    graceMillis: timeouts.graceMillis,
    onStatus: announce,
    onStaleMillis: (millis) => metrics.watchStale.set(labels, millis / 1_000),
  });
  const backoff = createBackoff(backoffBounds, random);
  const mayLogSkipped = createOccasion(clock, 60_000);
  const mayLogSyncFailure = createOccasion(clock, 60_000);
  let streamsLists = options.streamLists ?? true;
  let interruptedLists = 0;
  let failuresInPlace = 0;
  let silentWatches = 0;
  /** Since the last list there was a watch that was good for something. */
  let listWasOfUse = false;
  /** The last answer was a 401. The connection reads its credentials again, so the next attempt need not wait. */
  let unauthorized = false;
  let trouble = '';
  /** Everything up to this resource version has been taken in. */
  let known: string | undefined;
  let running = false;

  metrics.watchSynced.set(labels, 0);
  metrics.watchStale.set(labels, 0);
  metrics.watchObjects.set(labels, 0);

  function announce(status: WatchStatus): void {
    if (status.kind === 'live') metrics.watchSynced.set(labels, 1);
    if (status.kind === 'stale') {
      logger.warn({ trouble }, 'out of touch with the Kubernetes API; serving what was known');
    } else {
      logger.info({ objects: store.size }, 'in touch with the Kubernetes API');
    }
    store.announce(status);
  }

  function projected(raw: unknown): T | undefined {
    let object: T | undefined;
    let error = 'it lacks what every object has';
    try {
      object = project(raw);
    } catch (thrown) {
      error = messageOf(thrown);
    }
    if (!object) skip(raw, error);
    return object;
  }

  function skip(raw: unknown, error: string): void {
    metrics.watchObjectsInvalid.inc(labels);
    const occasion = mayLogSkipped();
    if (occasion)
      logger.warn(
        { object: describeRaw(raw), error, skipped: occasion.since },
        'skipped an object of the API',
      );
  }

  /** Waits as the failures so far and the API server ask for. */
  async function pause(signal: AbortSignal, retryAfterMillis = 0): Promise<void> {
    await sleep(clock, Math.max(backoff.next(), retryAfterMillis), signal);
  }

  /** After an attempt that brought nothing. */
  async function failed(
    outcome: Exclude<FollowOutcome, { kind: 'ended' }>,
    signal: AbortSignal,
  ): Promise<void> {
    noteTrouble(describeFailure(outcome));
    const status = outcome.kind === 'status' ? outcome : undefined;
    const first = status?.status === 401 && !unauthorized;
    unauthorized = status?.status === 401;
    // The first refusal of a token that has just run out is no loss of contact.
    if (first) return;
    freshness.failed();
    await pause(signal, status?.retryAfterMillis);
  }

  function noteTrouble(message: string): void {
    trouble = message;
    // Once synced the change of status is what is logged.
    if (freshness.status.kind !== 'syncing') logger.debug({ trouble }, 'the watch failed');
    else if (mayLogSyncFailure()) logger.warn({ trouble }, 'cannot list from the Kubernetes API; trying on');
  }

  async function list(reason: ListReason, signal: AbortSignal): Promise<Step> {
    const again: Step = { do: 'list', reason };
    const found = new Map<string, T>();
    const onObject = (raw: unknown) => {
      const object = projected(raw);
      if (object) found.set(object.uid, object);
    };
    const { openMillis, pageMillis, listSilenceMillis } = timeouts;
    const outcome = streamsLists
      ? await streamList({
          ...request,
          ...watchAccept,
          openMillis,
          silenceMillis: listSilenceMillis,
          signal,
          onObject,
          onGone: (raw) => found.delete(projectIdentity(raw, (text) => text)?.uid ?? ''),
        })
      : await listPages({
          ...request,
          ...listAccept,
          pageMillis,
          signal,
          onObject,
          onRestart: () => found.clear(),
        });
    switch (outcome.kind) {
      case 'complete':
        unauthorized = false;
        interruptedLists = 0;
        failuresInPlace = 0;
        silentWatches = 0;
        listWasOfUse = false;
        metrics.watchRelists.inc({ ...labels, reason });
        store.replace(found.values(), outcome.resourceVersion);
        metrics.watchObjects.set(labels, store.size);
        known = outcome.resourceVersion;
        freshness.live();
        return { do: 'follow', from: outcome.resourceVersion };
      case 'unsupported':
        stopStreamingLists(outcome.message);
        return again;
      case 'interrupted':
        interruptedLists += 1;
        if (interruptedLists >= maxInterruptedLists) stopStreamingLists(outcome.message);
        await failed({ kind: 'unreachable', message: outcome.message }, signal);
        return again;
      default:
        await failed(outcome, signal);
        return again;
    }
  }

  function stopStreamingLists(why: string): void {
    streamsLists = false;
    logger.info({ why }, 'the Kubernetes API does not stream lists; listing by pages from now on');
  }

  async function follow(from: string, signal: AbortSignal): Promise<Step> {
    let latest = from;
    const outcome = await followChanges({
      ...request,
      ...watchAccept,
      clock,
      from,
      timeoutSeconds: Math.round(timeouts.watchSeconds * (1 + random.next())),
      openMillis: timeouts.openMillis,
      silenceMillis: timeouts.silenceMillis,
      signal,
      onOpen: () => {
        unauthorized = false;
        freshness.opened();
      },
      onEvent: (event) => {
        if (event.kind === 'change' || event.kind === 'bookmark') freshness.live();
        else freshness.heard();
        latest = apply(event, latest);
        known = latest;
      },
    });
    if (outcome.kind === 'ended') return afterWatch(outcome, latest, signal);
    if (outcome.kind === 'status' && outcome.status === 410) {
      noteTrouble(outcome.message);
      return relistExpired(signal);
    }
    await failed(outcome, signal);
    // What the API server refuses to continue, such as a version that it cannot read, it may still list.
    if (outcome.kind === 'status' && !isPassing(outcome.status)) failuresInPlace += 1;
    if (failuresInPlace >= maxFailuresInPlace) return { do: 'list', reason: 'refused' };
    return { do: 'follow', from };
  }

  /** Takes one event in and returns the resource version that is known now. */
  function apply(event: WatchEvent, latest: string): string {
    switch (event.kind) {
      case 'change': {
        metrics.watchEvents.inc({ ...labels, type: event.type });
        if (event.type === 'DELETED') {
          const identity = projectIdentity(event.object, (text) => text);
          if (identity) store.remove(identity);
          else skip(event.object, 'the object that was deleted cannot be told');
        } else {
          const object = projected(event.object);
          if (object) store.upsert(object);
        }
        metrics.watchObjects.set(labels, store.size);
        return event.resourceVersion ? newerResourceVersion(latest, event.resourceVersion) : latest;
      }
      case 'bookmark':
        metrics.watchEvents.inc({ ...labels, type: 'BOOKMARK' });
        return event.resourceVersion ? newerResourceVersion(latest, event.resourceVersion) : latest;
      case 'error':
        metrics.watchEvents.inc({ ...labels, type: 'ERROR' });
        return latest;
      case 'unknown':
        metrics.watchEvents.inc({ ...labels, type: 'UNKNOWN' });
        return latest;
    }
  }

  async function afterWatch(
    outcome: FollowOutcome & { kind: 'ended' },
    latest: string,
    signal: AbortSignal,
  ): Promise<Step> {
    const { end, message, events, livedMillis } = outcome;
    if (end !== 'silent' && end !== 'lost') freshness.heard();
    freshness.ended();
    if (end !== 'closed') noteTrouble(message);
    if (events > 0) {
      failuresInPlace = 0;
      silentWatches = 0;
    }
    if (events > 0 || livedMillis >= healthyMillis) {
      listWasOfUse = true;
      backoff.reset();
    }
    if (outcome.failure?.status === 410) return relistExpired(signal);
    if (end === 'silent') {
      silentWatches += 1;
      // When etcd was restored from a backup, an API server takes a watch from a version that lies in its future and
      // then has nothing to say. Only a list finds that out.
      if (silentWatches >= maxSilentWatches) return { do: 'list', reason: 'silent' };
      return { do: 'follow', from: latest };
    }
    if (end === 'malformed' || end === 'oversized' || end === 'error') {
      // The same line or error may well come again at this place, and a list goes past it.
      failuresInPlace += 1;
      await pause(signal, outcome.failure?.retryAfterMillis);
      if (failuresInPlace >= maxFailuresInPlace) return { do: 'list', reason: 'refused' };
    } else if (livedMillis < shortMillis) {
      await pause(signal);
    }
    return { do: 'follow', from: latest };
  }

  /**
   * The API server has forgotten the version that is known, as it has after a restart: the list is wanted now,
   * however long the server was away. Only one that forgets at once what it has just listed is not hammered.
   */
  async function relistExpired(signal: AbortSignal): Promise<Step> {
    freshness.ended();
    if (listWasOfUse) backoff.reset();
    else await pause(signal);
    return { do: 'list', reason: 'expired' };
  }

  /** A defect must not end the watch: it is reported, and the whole is listed again. */
  async function afterDefect(thrown: unknown, signal: AbortSignal): Promise<Step> {
    logger.error({ error: messageOf(thrown) }, 'the watch failed unexpectedly. This is a defect in podpass');
    freshness.failed();
    await sleep(clock, backoff.next(), signal).catch(() => undefined);
    return { do: 'list', reason: 'refused' };
  }

  return {
    get: store.get,
    getByName: store.getByName,
    values: store.values,
    subscribe: store.subscribe,
    get size() {
      return store.size;
    },
    get status() {
      return freshness.status;
    },
    get position() {
      return { known, changed: store.changed };
    },
    async run(signal) {
      if (running) throw new PodpassError('ERR_INTERNAL', `the watch of ${resource.name} runs already`);
      running = true;
      let step: Step = { do: 'list', reason: 'start' };
      while (!signal.aborted) {
        try {
          step = step.do === 'list' ? await list(step.reason, signal) : await follow(step.from, signal);
        } catch (thrown) {
          if (!signal.aborted) step = await afterDefect(thrown, signal);
        }
      }
      freshness.stop();
      running = false;
    },
  };
}

/** For metadata alone. A server that knows nothing of that takes the last entry. */
function acceptMetadata(as: string): string {
  return `application/json;as=${as};g=meta.k8s.io;v=1,application/json`;
}
