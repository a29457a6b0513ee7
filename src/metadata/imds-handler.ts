import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.ts';
import type { HealthReport } from '../telemetry/health.ts';
import { type Connection, routeOn } from './connection.ts';
import type { Exchange, Step } from './exchange.ts';
import type { ExchangeRunner } from './exchange-runner.ts';
import type { MetadataHandler } from './metadata-handler.ts';
import type { Handler } from './meter.ts';
import { createReply, createTextReply, plainText, type Reply } from './reply.ts';
import { readHeaders } from './request-headers.ts';
import { splitTarget } from './request-target.ts';
import type { Route } from './route.ts';

export interface ImdsHandlerOptions {
  readonly clock: Clock;
  readonly run: ExchangeRunner;
  readonly metadata: MetadataHandler;
  readonly isAllowedHost: (host: string, connection: Connection) => boolean;
  /** What `/health` says. */
  readonly health: () => HealthReport;
  /** What `/healthz` says. */
  readonly liveness: () => HealthReport;
  readonly maxHeaderCount: number;
  /** Longer bodies are refused; none is ever read. */
  readonly maxBodyBytes: number;
  /** kiam's `--allow-ip-query`: whoever asks may say which address to answer for. For development only. */
  readonly allowIpQuery: boolean;
}

/**
 * Answers one request. All that can be answered from memory is answered before this returns.
 *
 * @param asks it has an `Expect` other than `100-continue`
 */
export type ImdsHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
  asks?: 'unknown-expectation',
) => void;

/**
 * The way into the door: reads the request, turns away what cannot be meant for it, and hands the rest to the
 * handler of its route.
 */
export function createImdsHandler(options: ImdsHandlerOptions): ImdsHandler {
  const { clock, run, metadata, maxBodyBytes, maxHeaderCount } = options;

  function firstStep(exchange: Exchange): Step {
    const { request, headers, route } = exchange;
    // Node's parser takes request lines of HTTP/0.9 and 2.0 as well, whose rules of Host and chunks are others.
    if (request.httpVersionMajor !== 1) return otherVersion;
    if (request.rawHeaders.length > 2 * maxHeaderCount) return tooManyHeaders;
    if (headers.bodyLength > maxBodyBytes) return tooLarge;
    // HTTP/1.0 has no chunks: whoever sends them lets others guess where the request ends (RFC 9112, 6.1).
    if (Number.isNaN(headers.bodyLength) && request.httpVersionMinor === 0) return oldChunks;
    if (headers.bodyLength !== 0) discardBody(request, maxBodyBytes);
    // No secret is behind these, and whoever probes may use a name of the node.
    if (route.kind === 'ping') return pong;
    if (route.kind === 'health') return healthReply(options.health());
    if (route.kind === 'healthz') return healthReply(options.liveness());
    const refusal = refusalOf(exchange);
    if (refusal !== undefined) return refusal;
    if (route.kind === 'token') return request.method === 'PUT' ? metadata.putToken(exchange) : onlyPut;
    return request.method === 'GET' || request.method === 'HEAD' ? metadata.get(exchange) : onlyGet;
  }

  /** Why the request cannot be meant for us, if so. */
  function refusalOf({ request, headers, route, connection }: Exchange): Reply | undefined {
    if (route.kind === 'bad-request') return createTextReply(400, route.why);
    if (headers.repeated) return repeatedHeader;
    const host = authorityOf(request.url) ?? headers.host;
    if (host === undefined) return request.httpVersionMinor === 0 ? undefined : missingHost;
    if (host === connection.host) return undefined;
    if (!options.isAllowedHost(host, connection)) return wrongHost;
    connection.host = host;
    return undefined;
  }

  return (request, response, connection, asks) => {
    const started = clock.monotonic();
    const target = request.url ?? '';
    const route = routeOn(connection, target);
    const asked = options.allowIpQuery ? askedAddress(target) : undefined;
    run(
      {
        request,
        response,
        connection,
        headers: readHeaders(request),
        route,
        address: asked ?? connection.address,
        started,
        handler: handlerOf(route),
        caller: undefined,
      },
      asks === undefined ? firstStep : () => unknownExpectation,
    );
  };
}

function handlerOf(route: Route): Handler {
  switch (route.kind) {
    case 'list':
      return 'roleName';
    case 'other':
    case 'forbidden-tree':
      return 'proxy';
    case 'healthz':
      return 'health';
    case 'bad-request':
      return 'rejected';
    default:
      return route.kind;
  }
}

/** In absolute form the target says which host is meant, whatever the header says (RFC 9112, 3.2.2). */
function authorityOf(target: string | undefined): string | undefined {
  return target === undefined || target.startsWith('/') ? undefined : splitTarget(target)?.authority;
}

/** As kiam: the first `ip` of the query, unless it is empty. */
function askedAddress(target: string): string | undefined {
  const query = splitTarget(target)?.query;
  return (query && new URLSearchParams(query).get('ip')) || undefined;
}

/** Lets a body pass that nobody reads, up to a bound: its length may not have been announced. */
function discardBody(request: IncomingMessage, maxBytes: number): void {
  let length = 0;
  request.on('data', (chunk: Uint8Array) => {
    length += chunk.length;
    if (length > maxBytes) request.socket.destroy();
  });
}

/**
 * Names of failed checks, which are ours, and no more. kiam and kube2iam answered with the node's instance id; any pod
 * can ask, and the details (addresses, error texts) are on the telemetry port for those who may know.
 */
function healthReply({ ok, checks }: HealthReport): Reply {
  if (ok) return createReply(200, plainText, 'ok\n');
  const failed = checks.filter((check) => !check.ok).map(({ name }) => name);
  return createTextReply(503, `failed: ${failed.join(', ')}`);
}

const pong = createReply(200, plainText, 'pong');
const otherVersion = createTextReply(400, 'this is neither HTTP/1.0 nor HTTP/1.1.', { closes: true });
const unknownExpectation = createTextReply(417, 'the only expectation known is 100-continue.', {
  closes: true,
});
const tooManyHeaders = createTextReply(431, 'the request has too many headers.', { closes: true });
const tooLarge = createTextReply(413, 'requests to the metadata service have no body.', { closes: true });
const oldChunks = createTextReply(400, 'HTTP/1.0 has no chunks.', { closes: true });
const onlyPut = createTextReply(405, 'session tokens are asked for with PUT.', { extra: ['Allow', 'PUT'] });
const onlyGet = createTextReply(405, 'metadata is asked for with GET or HEAD.', {
  extra: ['Allow', 'GET, HEAD'],
});
const repeatedHeader = createTextReply(400, 'a header that may be sent only once was sent twice.');
const missingHost = createTextReply(400, 'the Host header is missing.');
// Not 403: that would tell SDKs that there is no IMDSv2 here, and some never ask again.
const wrongHost = createTextReply(
  400,
  'the Host header names neither the metadata service nor this node. If clients need the name, configure it.',
);
