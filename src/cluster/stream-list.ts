import { isPassing } from './api-status.ts';
import type { ClusterConnection, RequestFailure } from './connection.ts';
import { readWatchEvent } from './watch-event.ts';

export interface StreamListOptions {
  readonly connection: ClusterConnection;
  readonly path: string;
  readonly fieldSelector?: string;
  readonly accept?: string;
  readonly openMillis: number;
  /** Without a byte for so long before the list is complete, the API server does not know this kind of list. */
  readonly silenceMillis: number;
  readonly signal: AbortSignal;
  /** An object exists, or exists in a newer version than told before. */
  readonly onObject: (raw: unknown) => void;
  /** An object that was told is gone already. */
  readonly onGone: (raw: unknown) => void;
}

export type StreamListOutcome =
  | { readonly kind: 'complete'; readonly resourceVersion: string }
  /** The API server does not stream lists, whatever it answers to that: list by pages, from now on. */
  | { readonly kind: 'unsupported'; readonly message: string }
  /** The stream ended before the list did. That happens; if it happens again and again, list by pages. */
  | { readonly kind: 'interrupted'; readonly message: string }
  | RequestFailure;

/** A server that cannot finish a list in this time would not hold the watch that serves it either. */
const listSeconds = 300;

/**
 * Lists all objects of a resource as a stream of events (WatchList, KEP-3157), which costs the API server far less
 * memory than a list. Kubernetes has it from 1.32 on; but a server may offer it and then refuse, with an ERROR event
 * of code 500 where its etcd is too old.
 */
export async function streamList(options: StreamListOptions): Promise<StreamListOutcome> {
  const { connection, path, fieldSelector, accept, openMillis, silenceMillis, signal, onObject, onGone } =
    options;
  const opened = await connection.openStream({
    path,
    query: {
      watch: true,
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: true,
      timeoutSeconds: listSeconds,
      fieldSelector,
    },
    ...(accept && { accept }),
    openMillis,
    silenceMillis,
    signal,
  });
  if (opened.kind !== 'open') return judge(opened);
  for await (const item of opened.items) {
    if (item.kind === 'end') {
      const passes = item.end === 'closed' || item.end === 'lost';
      return { kind: passes ? 'interrupted' : 'unsupported', message: item.message };
    }
    const event = readWatchEvent(item.value);
    if (event.kind === 'error') return judge(event.failure);
    if (event.kind === 'bookmark' && event.endsInitialEvents && event.resourceVersion) {
      return { kind: 'complete', resourceVersion: event.resourceVersion };
    }
    if (event.kind === 'change') {
      if (event.type === 'DELETED') onGone(event.object);
      else onObject(event.object);
    }
  }
  return { kind: 'interrupted', message: 'the stream of the list ended' };
}

function judge(failure: RequestFailure): StreamListOutcome {
  if (failure.kind !== 'status' || isPassing(failure.status)) return failure;
  return { kind: 'unsupported', message: `${failure.status} ${failure.message}` };
}
