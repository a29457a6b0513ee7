import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { contentTypeFor, headersForClient } from './passed-headers.ts';
import { createHead, plainText, type Reply, type StreamedReply } from './reply.ts';
import { failureOf, type UpstreamAnswer } from './upstream.ts';
import { announcedLength, gather } from './upstream-body.ts';
import type { UpstreamFailure } from './upstream-failure.ts';

/** What a client wants of the real metadata service. */
export interface ProxyRequest {
  readonly method: 'GET' | 'HEAD';
  /** That of a route of kind `other`, and allowed. */
  readonly path: string;
  /** Those of the client's that are passed on (`headersForUpstream`). */
  readonly headers: Readonly<Record<string, string>>;
  /** Who asks. */
  readonly address: string;
  /** Whether the client can be sent a body in chunks, which HTTP/1.0 cannot. */
  readonly chunks: boolean;
}

/** What one answer of the real metadata service may take. */
export interface ProxyBounds {
  /** Answers up to this length are read whole before the first byte goes on; longer ones are streamed. */
  readonly wholeBytes: number;
  /** Longer answers are not passed on. */
  readonly maxBytes: number;
  /** Until it is the request's turn. */
  readonly waitMillis: number;
  /** From there until the head and, if it is read whole, the body have come. */
  readonly timeoutMillis: number;
  /** Of a stream: without a byte that the client takes. */
  readonly stallMillis: number;
  /** Of a stream: in all. */
  readonly streamMillis: number;
}

export interface ReadOptions extends ProxyBounds {
  readonly clock: Clock;
  /** Ends the request upstream. */
  readonly life: AbortController;
  /** Told of a stream that broke off. */
  readonly onFailure: (failure: UpstreamFailure) => void;
}

/**
 * Makes the client's answer of the service's. Whole ones have a length, and a failure in their midst is a clear 502;
 * the few that are too long for that are streamed. Throws if the body breaks off.
 */
export async function readAnswer(
  { status, headers, body }: UpstreamAnswer,
  request: ProxyRequest,
  options: ReadOptions,
): Promise<Reply | StreamedReply | UpstreamFailure> {
  const { maxBytes, wholeBytes } = options;
  if (!isPassed(status, request)) return refused('status', `it answered ${status}`);
  const contentType = contentTypeFor(headers, plainText);
  const extra = headersForClient(headers);
  const length = announcedLength(body);
  if (typeof length === 'number' && length > maxBytes) return tooLong(maxBytes);
  if (request.method === 'HEAD' || status === 204 || status === 304) {
    const known = typeof length === 'number' && status !== 204 ? length : undefined;
    return { status, headers: createHead(contentType, known, extra), body: '', closes: false };
  }
  if (length === 'unknown') return refused('broken-off', 'nothing in its answer tells where that ends');

  const start = await gather(body, request.chunks ? wholeBytes : maxBytes);
  if (start.kind === 'whole') {
    const head = createHead(contentType, start.bytes.length, extra);
    return { status, headers: head, body: start.bytes, closes: false };
  }
  if (start.first.length > maxBytes) return tooLong(maxBytes);
  const known = typeof length === 'number' ? length : undefined;
  return {
    status,
    headers: createHead(contentType, known, extra),
    closes: false,
    pour: (response) => pour(response, start, options),
  };
}

/**
 * No redirect ever reaches a client; a 401 would tell it that its own token is bad; and 407 and 1xx are about our
 * connection.
 */
function isPassed(status: number, { headers }: ProxyRequest): boolean {
  if (status === 304) return Object.keys(headers).some((name) => name.startsWith('If-'));
  if (status === 401 || status === 407) return false;
  return (status >= 200 && status < 300) || (status >= 400 && status < 600);
}

/** Writes a body that is still coming. The client's reading sets the pace. */
async function pour(
  response: ServerResponse,
  { first, rest }: { readonly first: Uint8Array; readonly rest: AsyncIterator<Uint8Array> },
  { clock, life, maxBytes, stallMillis, streamMillis, onFailure }: ReadOptions,
): Promise<void> {
  const late = (problem: string) => () => life.abort(refused('timeout', problem));
  const startStall = () =>
    clock.setTimer(stallMillis, late(`a long answer made no progress for ${stallMillis} ms`));
  const total = clock.setTimer(streamMillis, late(`a long answer took more than ${streamMillis} ms`));
  let stall = startStall();
  const onClose = () => life.abort(new DOMException('the client has gone', 'AbortError'));
  response.once('close', onClose);
  try {
    let length = 0;
    for (let chunk: Uint8Array | undefined = first; chunk !== undefined; chunk = await next(rest)) {
      length += chunk.length;
      if (length > maxBytes) life.abort(tooLong(maxBytes));
      life.signal.throwIfAborted();
      if (!response.write(chunk)) await once(response, 'drain', { signal: life.signal });
      stall.cancel();
      stall = startStall();
    }
  } catch (thrown) {
    const cause: unknown = life.signal.aborted ? life.signal.reason : failureOf(thrown);
    if (isFailure(cause)) onFailure(cause);
    throw thrown;
  } finally {
    response.removeListener('close', onClose);
    stall.cancel();
    total.cancel();
    life.abort(new DOMException('the request is over', 'AbortError'));
  }
}

async function next(rest: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const { done, value } = await rest.next();
  return done ? undefined : value;
}

function isFailure(cause: unknown): cause is UpstreamFailure {
  return typeof cause === 'object' && cause !== null && 'kind' in cause && cause.kind === 'failed';
}

function tooLong(maxBytes: number): UpstreamFailure {
  return refused('too-long', `it answered with more than ${maxBytes} bytes`);
}

function refused(reason: UpstreamFailure['reason'], problem: string): UpstreamFailure {
  return { kind: 'failed', reason, problem };
}
