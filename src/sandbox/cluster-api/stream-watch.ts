import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import type { WatchSink } from './open-watch.ts';
import { type ShowOptions, showObject } from './representation.ts';
import { tableOf } from './table.ts';

/**
 * A client that is this far behind is cut off rather than remembered for; it will resume from where it got. What was
 * there when the watch began does not count: a real API server sends that at the pace of the client.
 */
const mostUnsentBytes = 16 * 1024 * 1024;

export interface WatchStream extends WatchSink {
  /**
   * Says that what was there is told, and that from here on it is news. Sends the head of the answer, if no event has
   * done so: the client then knows that the watch is on.
   */
  start(): void;
}

/** Writes the events of a watch as a real API server does: one JSON document per line, in one chunked answer. */
export function streamWatch(response: ServerResponse, show: ShowOptions, clock: Clock): WatchStream {
  let columnsSent = false;
  let mostUnsent = Number.POSITIVE_INFINITY;

  function sendHead(): void {
    if (response.headersSent || response.destroyed) return;
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    response.flushHeaders();
  }

  function send(type: string, object: Json): void {
    sendHead();
    if (response.destroyed || response.writableEnded) return;
    response.write(`${JSON.stringify({ type, object })}\n`);
    if (response.writableLength > mostUnsent) response.destroy();
  }

  /** Ages are those of the moment, and the columns of a table are told once. */
  function current(): ShowOptions {
    const withoutHeaders = columnsSent;
    columnsSent = true;
    return { ...show, now: clock.now(), withoutHeaders };
  }

  return {
    start() {
      sendHead();
      mostUnsent = response.writableLength + mostUnsentBytes;
    },
    event: (type, object) => send(type, showObject(object, current())),
    bookmark(object) {
      if (show.representation === 'table') send('BOOKMARK', tableOf([], metadataOf(object), current()));
      else if (show.representation === 'metadata') {
        send('BOOKMARK', { ...object, kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' });
      } else send('BOOKMARK', object);
    },
    error: (status) => send('ERROR', status),
    end: () => response.end(),
  };
}

function metadataOf({ metadata }: JsonObject): JsonObject {
  return isObject(metadata) ? metadata : {};
}
