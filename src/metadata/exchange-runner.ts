import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AccessLog } from './access-log.ts';
import type { Exchange, Later, Step } from './exchange.ts';
import type { Meter } from './meter.ts';
import { createErrorReply, type Reply, type StreamedReply, writeReply } from './reply.ts';

export interface ExchangeRunnerOptions {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly accessLog: AccessLog;
  readonly logger: Logger;
  /** Whether the server is closing: then every answer is the last on its connection. */
  readonly isClosing: () => boolean;
}

/** Brings an exchange to its end: takes its first step and whatever follows, and writes, counts and logs the answer. */
export type ExchangeRunner = (exchange: Exchange, firstStep: (exchange: Exchange) => Step) => void;

export function createExchangeRunner(options: ExchangeRunnerOptions): ExchangeRunner {
  const { clock, meter, accessLog, logger } = options;

  function finish(exchange: Exchange, reply: Reply): void {
    const { response } = exchange;
    if (reply.closes || options.isClosing()) response.shouldKeepAlive = false;
    writeReply(response, reply);
    record(exchange, reply.status);
  }

  /** Counts and logs an answer that has been written. */
  function record(exchange: Exchange, status: number): void {
    const { request, connection, handler, caller, started } = exchange;
    const milliseconds = clock.monotonic() - started;
    meter.record(handler, status, milliseconds / 1_000);
    if (!accessLog.wants(status)) return;
    accessLog.write({
      method: request.method ?? '',
      path: request.url ?? '',
      address: connection.address,
      status,
      milliseconds,
      caller,
    });
  }

  /** A stream counts as a wait: a connection has one at a time. */
  function stream(exchange: Exchange, reply: StreamedReply): void {
    const { connection, response } = exchange;
    connection.waiting = true;
    if (reply.closes || options.isClosing()) response.shouldKeepAlive = false;
    response.writeHead(reply.status, reply.headers);
    const settle = () => {
      connection.waiting = false;
      record(exchange, reply.status);
    };
    reply.pour(response).then(
      () => {
        response.end();
        settle();
      },
      () => {
        response.destroy();
        settle();
      },
    );
  }

  /**
   * One request of a connection at a time may wait: no SDK pipelines, and what a connection can make us hold is
   * bounded by that.
   */
  function wait(exchange: Exchange, { work }: Later): void {
    const { connection, response } = exchange;
    if (connection.waiting) {
      finish(exchange, pipelined);
      return;
    }
    connection.waiting = true;
    const gone = new AbortController();
    const onClose = () => gone.abort(new DOMException('the client has gone', 'AbortError'));
    response.once('close', onClose);
    const settle = (next: () => Step) => {
      connection.waiting = false;
      response.removeListener('close', onClose);
      // If so, nobody is left to answer.
      if (!gone.signal.aborted) proceed(exchange, next);
    };
    work(gone.signal).then(settle, (thrown) =>
      settle(() => {
        throw thrown;
      }),
    );
  }

  function proceed(exchange: Exchange, next: () => Step): void {
    const step = guarded(next);
    if ('work' in step) wait(exchange, step);
    else if ('pour' in step) stream(exchange, step);
    else finish(exchange, step);
  }

  /** A defect of ours costs one request, and leaves the connection and the process as they are. */
  function guarded(next: () => Step): Step {
    try {
      return next();
    } catch (thrown) {
      logger.error({ err: messageOf(thrown) }, 'error processing request');
      return failed;
    }
  }

  return (exchange, firstStep) => proceed(exchange, () => firstStep(exchange));
}

const failed = createErrorReply(500, { code: 'InternalError', message: 'podpass failed; see its log.' });
const pipelined = createErrorReply(
  503,
  { code: 'Busy', message: 'another request on this connection is waiting. Use one connection for each.' },
  { extra: ['Retry-After', '1'], closes: true },
);
