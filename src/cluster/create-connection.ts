import type { IncomingMessage } from 'node:http';
import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf, PodpassError } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readStatusFailure } from './api-status.ts';
import type { ClusterAccess, ClusterConfig } from './cluster-config.ts';
import type { ClusterConnection, JsonRequest, Query, RequestFailure } from './connection.ts';
import { createHttpClient, describeNetworkError } from './http-client.ts';
import { readStream } from './read-stream.ts';

export interface ClusterConnectionOptions {
  readonly config: ClusterConfig;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Default `podpass`. */
  readonly userAgent?: string;
  /** The largest answer that is held. Default 32 MiB: a page of 500 pods of 64 kB. */
  readonly maxResponseBytes?: number;
  /** The longest line of a watch. Default 16 MiB: etcd takes objects of 1.5 MB, and Go's JSON writes `<` in six bytes. */
  readonly maxLineBytes?: number;
}

const mebibyte = 2 ** 20;
/** What is read of a refusal. */
const maxStatusBytes = 64 * 1_024;

/**
 * Connects to the API that `config` describes, over HTTP/1.1 with connections kept open. Nothing is sent before the
 * first request.
 *
 * @throws PodpassError ERR_CLUSTER_CONFIG when the server's address is not a URL.
 * @example
 * ```ts
 * const connection = createClusterConnection({ config: await loadInClusterConfig({ env, clock }), clock });
 * const outcome = await connection.requestJson({ method: 'GET', path: '/version', timeoutMillis: 5_000, signal });
 * ```
 */
export function createClusterConnection(options: ClusterConnectionOptions): ClusterConnection {
  const { config, clock, logger } = options;
  const { maxResponseBytes = 32 * mebibyte, maxLineBytes = 16 * mebibyte, userAgent = 'podpass' } = options;
  const base = parseServer(config);
  const client = createHttpClient();
  const closing = new AbortController();
  /** The last answer was a 401: what was shown is not to be shown again. */
  let refused = false;

  /** Sends a request and takes note of a 401; the answer's body is still to be read. */
  async function send(
    request: Pick<JsonRequest, 'path' | 'query' | 'body' | 'contentType' | 'accept'>,
    method: string,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const access = await accessNow(signal);
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const response = await client.send({
      url: urlOf(base, request.path, request.query),
      method,
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': userAgent,
        ...(body && { 'content-type': request.contentType ?? 'application/json' }),
      },
      ...(body && { body }),
      access,
      signal,
    });
    if (response.statusCode === 401) {
      refused = true;
      logger?.debug({ server: config.server }, 'the API server answered 401; credentials will be read again');
    }
    return response;
  }

  async function accessNow(signal: AbortSignal): Promise<ClusterAccess> {
    const wasRefused = refused;
    const access = await config.access({ refused: wasRefused });
    signal.throwIfAborted();
    if (wasRefused) refused = false;
    return access;
  }

  /** Turns whatever was thrown on the way into an outcome, unless it was the caller who gave up. */
  function failureOf(thrown: unknown, signal: AbortSignal): RequestFailure {
    if (signal.aborted) throw signal.reason;
    if (closing.signal.aborted) return { kind: 'unreachable', message: 'the connection was closed' };
    // The configuration's own errors name their source already.
    if (thrown instanceof PodpassError) return { kind: 'unreachable', message: thrown.message };
    return {
      kind: 'unreachable',
      message: `no answer from ${config.server}: ${describeNetworkError(thrown)}`,
    };
  }

  function tooSlow(millis: number): RequestFailure {
    return { kind: 'unreachable', message: `no answer from ${config.server} within ${millis} ms` };
  }

  return {
    server: config.server,
    async requestJson(request) {
      const { timeoutMillis } = request;
      try {
        const signal = AbortSignal.any([request.signal, closing.signal]);
        const outcome = await bounded(clock, timeoutMillis, signal, async (bound) => {
          const response = await send(request, request.method, bound);
          return readAnswer(response, maxResponseBytes, config.server);
        });
        return outcome.kind === 'done' ? outcome.value : tooSlow(timeoutMillis);
      } catch (thrown) {
        return failureOf(thrown, request.signal);
      }
    },
    async openStream(request) {
      // Lives as long as the stream, and not only until its head is there.
      const ending = new AbortController();
      const signal = AbortSignal.any([request.signal, closing.signal, ending.signal]);
      try {
        const opened = await bounded(clock, request.openMillis, signal, async (bound) => {
          // A bound that is up ends the request too; one that was met must not end the stream later.
          bound.addEventListener('abort', () => ending.abort(bound.reason), { once: true });
          const response = await send(request, 'GET', signal);
          if (isSuccess(response)) return { kind: 'head' as const, response };
          return readAnswer(response, maxStatusBytes, config.server);
        });
        if (opened.kind === 'timeout') return tooSlow(request.openMillis);
        if (opened.value.kind !== 'head') return refusalOf(opened.value);
        const { silenceMillis } = request;
        const { response } = opened.value;
        const items = readStream({ response, clock, silenceMillis, maxLineBytes, signal: request.signal });
        return { kind: 'open', items };
      } catch (thrown) {
        return failureOf(thrown, request.signal);
      }
    },
    close() {
      closing.abort(new DOMException('the connection was closed', 'AbortError'));
      client.close();
    },
  };
}

function parseServer(config: ClusterConfig): URL {
  try {
    const url = new URL(config.server);
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
    throw new Error(`the scheme ${url.protocol} is neither https: nor http:`);
  } catch (cause) {
    const text = `${config.source}: the API server's address ${JSON.stringify(config.server)} cannot be used: ${messageOf(cause)}. Put it right there.`;
    throw new PodpassError('ERR_CLUSTER_CONFIG', text, { cause });
  }
}

function urlOf(base: URL, path: string, query: Query = {}): URL {
  const url = new URL(base);
  url.pathname = base.pathname.replace(/\/+$/, '') + path;
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(key, String(value));
  }
  return url;
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** A 2xx cannot come here: its head was taken for a stream. */
function refusalOf(outcome: Awaited<ReturnType<typeof readAnswer>>): RequestFailure {
  if (outcome.kind !== 'ok') return outcome;
  throw new PodpassError('ERR_INTERNAL', `an answer with status ${outcome.status} was read as a refusal`);
}

async function readAnswer(response: IncomingMessage, maxBytes: number, server: string) {
  const { statusCode = 0 } = response;
  const text = await readText(response, maxBytes);
  if (!isSuccess(response)) {
    return readStatusFailure(parseJson(text ?? '')?.value, statusCode, response.headers['retry-after']);
  }
  if (text === undefined) {
    return {
      kind: 'oversized' as const,
      message: `the answer of ${server} is larger than ${maxBytes} bytes`,
    };
  }
  const parsed = parseJson(text);
  if (parsed) return { kind: 'ok' as const, status: statusCode, body: parsed.value };
  const message = `${server} answered ${statusCode} with something that is not JSON. Is it a Kubernetes API server?`;
  return { kind: 'unreachable' as const, message };
}

/** The body as text, or `undefined` when it is too large; then the rest is not read and the connection goes. */
async function readText(response: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
