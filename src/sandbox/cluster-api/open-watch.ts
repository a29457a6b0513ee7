import type { Clock, Timer } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { JsonObject } from './json.ts';
import type { ObjectStore } from './object-store.ts';
import type { KubeObject } from './objects.ts';
import { groupVersion } from './resources.ts';
import { done, type Outcome, type Status, tooLargeResourceVersion } from './status.ts';
import type { WatchRequest } from './watch-request.ts';
import { transition } from './watch-transition.ts';

/** Where the events of a watch go. */
export interface WatchSink {
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void;
  /** Says how far the watch has come; an object with nothing but a version, and the annotation that ends a WatchList. */
  bookmark(object: JsonObject): void;
  /** The watch cannot go on; `end` follows. */
  error(status: Status): void;
  end(): void;
}

export interface OpenWatchOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds between bookmarks for those who want them. */
  readonly bookmarkMillis: number;
}

export interface OpenWatch {
  /** Stops it without a word; the sink is not told. */
  close(): void;
}

/** Clients that name no time are sent away after 30 to 60 minutes, as by a real API server. */
const shortestDefaultMillis = 30 * 60_000;

/**
 * Starts a watch: what exists or has happened since is told before this returns, what happens later as it happens.
 *
 * Refused (504) when the client has seen a version that this server has not. A version that is too old is no
 * refusal: like a real API server it starts the watch and ends it with an error event (410 Expired).
 */
export function openWatch(
  request: WatchRequest,
  options: OpenWatchOptions,
  sink: WatchSink,
): Outcome<OpenWatch> {
  const { store, clock, random, bookmarkMillis } = options;
  const { resource, matches, resourceVersion, bookmarks, initialEvents } = request;
  if (resourceVersion > store.resourceVersion) {
    return tooLargeResourceVersion(resourceVersion, store.resourceVersion);
  }
  const timers = new Set<Timer>();
  let unsubscribe = () => {};
  let closed = false;

  function close(): void {
    closed = true;
    unsubscribe();
    for (const timer of timers) timer.cancel();
    timers.clear();
  }

  function bookmark(annotations?: Readonly<Record<string, string>>): void {
    sink.bookmark({
      kind: resource.kind,
      apiVersion: groupVersion(resource),
      metadata: {
        resourceVersion: String(store.resourceVersion),
        creationTimestamp: null,
        ...(annotations && { annotations }),
      },
    });
  }

  function finish(): void {
    if (closed) return;
    close();
    sink.end();
  }

  function bookmarkLater(): void {
    const timer = clock.setTimer(bookmarkMillis, () => {
      timers.delete(timer);
      bookmark();
      bookmarkLater();
    });
    timers.add(timer);
  }

  if (initialEvents || resourceVersion === 0) {
    for (const object of store.list(resource)) if (matches(object)) sink.event('ADDED', object);
    if (initialEvents && bookmarks) bookmark({ 'k8s.io/initial-events-end': 'true' });
  } else {
    const missed = store.since(resource, resourceVersion);
    if (missed.kind === 'refused') {
      sink.error(missed.status);
      sink.end();
      return done({ close });
    }
    for (const change of missed.value) {
      const event = transition(change, matches);
      if (event) sink.event(event.type, event.object);
    }
  }
  const startedAt = store.resourceVersion;
  unsubscribe = store.subscribe((change) => {
    // A watch that another listener opened has been told of the changes that still wait to be told.
    if (change.resource !== resource || change.resourceVersion <= startedAt) return;
    const event = transition(change, matches);
    if (event) sink.event(event.type, event.object);
  });
  if (bookmarks) bookmarkLater();
  const timeout = request.timeoutMillis ?? shortestDefaultMillis * (1 + random.next());
  timers.add(
    clock.setTimer(timeout, () => {
      if (bookmarks) bookmark();
      finish();
    }),
  );
  return done({ close });
}
