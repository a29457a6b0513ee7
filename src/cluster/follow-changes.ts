import type { Clock } from '../base/clock.ts';
import type { StatusFailure } from './api-status.ts';
import type { ClusterConnection, RequestFailure, StreamEnd } from './connection.ts';
import { readWatchEvent, type WatchEvent } from './watch-event.ts';

export interface FollowOptions {
  readonly connection: ClusterConnection;
  readonly clock: Clock;
  readonly path: string;
  readonly fieldSelector?: string;
  readonly accept?: string;
  /** The resource version that is known: what came after it is told. */
  readonly from: string;
  /** The API server is asked to end the watch after so long. */
  readonly timeoutSeconds: number;
  readonly openMillis: number;
  readonly silenceMillis: number;
  readonly signal: AbortSignal;
  /** The API server has taken the watch on. */
  readonly onOpen: () => void;
  readonly onEvent: (event: WatchEvent) => void;
}

export type FollowOutcome =
  /** There was a watch, and it ended. */
  | {
      readonly kind: 'ended';
      readonly end: StreamEnd | 'error';
      readonly message: string;
      /** What the API server gave as its reason; with `error` only. */
      readonly failure?: StatusFailure;
      /** Changes and bookmarks that came. */
      readonly events: number;
      readonly livedMillis: number;
    }
  | RequestFailure;

/** A server has to end a watch at the time asked for. When it has not by then, nobody is there. */
const overdueMillis = 10_000;

/** One watch, from a known resource version until it ends. */
export async function followChanges(options: FollowOptions): Promise<FollowOutcome> {
  const { connection, clock, path, fieldSelector, accept, from, timeoutSeconds, openMillis, signal } =
    options;
  const opened = await connection.openStream({
    path,
    query: { watch: true, allowWatchBookmarks: true, resourceVersion: from, timeoutSeconds, fieldSelector },
    ...(accept && { accept }),
    openMillis,
    silenceMillis: Math.min(options.silenceMillis, timeoutSeconds * 1_000 + overdueMillis),
    signal,
  });
  if (opened.kind !== 'open') return opened;
  options.onOpen();
  const openedAt = clock.monotonic();
  let events = 0;

  function ended(end: StreamEnd | 'error', message: string, failure?: StatusFailure): FollowOutcome {
    const livedMillis = clock.monotonic() - openedAt;
    return { kind: 'ended', end, message, ...(failure && { failure }), events, livedMillis };
  }

  for await (const item of opened.items) {
    if (item.kind === 'end') return ended(item.end, item.message);
    const event = readWatchEvent(item.value);
    if (event.kind === 'change' || event.kind === 'bookmark') events += 1;
    options.onEvent(event);
    if (event.kind === 'error') return ended('error', event.failure.message, event.failure);
  }
  return ended('closed', 'the watch ended');
}
