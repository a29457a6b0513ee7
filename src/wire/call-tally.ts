import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  InterceptingCall,
  type Interceptor,
  status,
} from '@grpc/grpc-js';
import type { Metrics } from '../telemetry/metrics.ts';
import type { GrpcService } from './service.ts';

/** What was counted of one method since the last scrape. */
interface Tally {
  started: number;
  received: number;
  sent: number;
  /** By status code. */
  readonly handled: Float64Array;
}

interface Method {
  /** `/kiam.KiamService/GetPodRole`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** go-grpc-prometheus has the names of grpc-go; ours differ from them in the case of the letters. */
const codeNames: readonly string[] = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** Counts calls in plain numbers, which the counters of one side take over when they are scraped. */
function createTallies(side: 'Server' | 'Client', metrics: Metrics) {
  const tallies = new Map<string, Tally>();
  const started = metrics[`grpc${side}Started`];
  const handled = metrics[`grpc${side}Handled`];
  const received = metrics[`grpc${side}Received`];
  const sent = metrics[`grpc${side}Sent`];

  return (method: Method): Tally => {
    const known = tallies.get(method.path);
    if (known) return known;
    const tally: Tally = { started: 0, received: 0, sent: 0, handled: new Float64Array(codeNames.length) };
    tallies.set(method.path, tally);
    const [, service = '', name = ''] = method.path.split('/');
    const labels = { grpc_type: typeOf(method), grpc_service: service, grpc_method: name };
    metrics.beforeScrape(() => {
      started.inc(labels, tally.started);
      received.inc(labels, tally.received);
      sent.inc(labels, tally.sent);
      tally.started = 0;
      tally.received = 0;
      tally.sent = 0;
      for (const [code, count] of tally.handled.entries()) {
        // A server has every code from the beginning, as kiam's had; a client those that there were.
        if (side === 'Client' && count === 0) continue;
        handled.inc({ ...labels, grpc_code: codeNames[code] ?? 'Unknown' }, count);
        tally.handled[code] = 0;
      }
    });
    return tally;
  };
}

function typeOf({ requestStream, responseStream }: Method): string {
  if (requestStream) return responseStream ? 'bidi_stream' : 'client_stream';
  return responseStream ? 'server_stream' : 'unary';
}

function count(tally: Tally, code: unknown): void {
  const index = typeof code === 'number' && code < codeNames.length ? code : status.UNKNOWN;
  tally.handled[index] = (tally.handled[index] ?? 0) + 1;
}

/**
 * The service with its calls counted. Around the handlers and not as an interceptor of the library: that costs each
 * call several objects, and a call that is answered from memory is little more than those.
 */
export function countCalls(service: GrpcService, metrics: Metrics): GrpcService {
  const tallyOf = createTallies('Server', metrics);
  const definition = { ...service.definition };
  const implementation = { ...service.implementation };
  for (const [name, method] of Object.entries(service.definition)) {
    const tally = tallyOf(method);
    const handle = service.implementation[name];
    if (!handle) continue;
    if (!method.responseStream) {
      implementation[name] = countUnary(handle as handleUnaryCall<unknown, unknown>, tally);
      continue;
    }
    implementation[name] = countStream(handle as handleServerStreamingCall<unknown, unknown>, tally);
    definition[name] = {
      ...method,
      responseSerialize(message) {
        tally.sent += 1;
        return method.responseSerialize(message);
      },
    };
  }
  return { ...service, definition, implementation };
}

function countUnary<Request, Response>(
  handle: handleUnaryCall<Request, Response>,
  tally: Tally,
): handleUnaryCall<Request, Response> {
  return (call, respond) => {
    tally.started += 1;
    tally.received += 1;
    handle(call, (error, response, trailer, flags) => {
      if (error) count(tally, error.code);
      else {
        tally.sent += 1;
        count(tally, status.OK);
      }
      respond(error, response, trailer, flags);
    });
  };
}

function countStream<Request, Response>(
  handle: handleServerStreamingCall<Request, Response>,
  tally: Tally,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    tally.started += 1;
    tally.received += 1;
    let isOpen = true;
    function ended(code: unknown): void {
      if (isOpen) count(tally, code);
      isOpen = false;
    }
    call.on('error', (error: { readonly code?: unknown }) => ended(error.code));
    call.on('cancelled', () => ended(status.CANCELLED));
    call.on('finish', () => ended(status.OK));
    handle(call);
  };
}

/** For a channel: counts the calls that are made over it. */
export function createCallCounter(metrics: Metrics): Interceptor {
  const tallyOf = createTallies('Client', metrics);
  return (options, nextCall) => {
    const tally = tallyOf(options.method_definition);
    tally.started += 1;
    return new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        next(metadata, {
          onReceiveMessage(message, proceed) {
            // A call that failed passes on that there is none.
            if (message) tally.received += 1;
            proceed(message);
          },
          onReceiveStatus(outcome, proceed) {
            count(tally, outcome.code);
            proceed(outcome);
          },
        });
      },
      sendMessage(message, next) {
        tally.sent += 1;
        next(message);
      },
    });
  };
}
