import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Random } from '../../base/random.ts';
import { type AnswerOptions, answerRequest } from './answer-request.ts';
import type { Answer, ApiRequest } from './api-request.ts';
import type { FaultInjector } from './faults.ts';
import type { JsonObject } from './json.ts';
import { openWatch } from './open-watch.ts';
import type { ShowOptions } from './representation.ts';
import { readBody } from './request-body.ts';
import { invalid, type Outcome, refused, type Status } from './status.ts';
import { streamWatch } from './stream-watch.ts';
import type { WatchRequest } from './watch-request.ts';

export interface HttpHandlerOptions extends AnswerOptions {
  readonly random: Random;
  readonly faults: FaultInjector;
  readonly bookmarkMillis: number;
}

/** The API as a listener of `node:http`. A defect answers 500 and never ends the process. */
export function createHttpHandler(options: HttpHandlerOptions): RequestListener {
  const { store, clock, random, faults, bookmarkMillis } = options;

  async function handle(
    message: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const request = readRequest(message);
    const mishap = await faults.before(request, signal);
    switch (mishap.kind) {
      case 'drop':
        response.destroy();
        return;
      case 'fail':
        sendStatus(response, mishap.status);
        return;
      case 'none':
        send(response, await answerRequest(options, request));
    }
  }

  function send(response: ServerResponse, answer: Outcome<Answer>): void {
    if (answer.kind === 'refused') sendStatus(response, answer.status);
    else if (answer.value.kind === 'watch') watch(response, answer.value.request, answer.value.show);
    else if (answer.value.kind === 'json') {
      sendJson(response, answer.value.code, answer.value.body, answer.value.contentType);
    } else {
      response.writeHead(200, { 'content-type': answer.value.contentType });
      response.end(answer.value.body);
    }
  }

  function watch(response: ServerResponse, wanted: WatchRequest, show: ShowOptions): void {
    if (wanted.initialEvents && faults.watchList === 'forbid') {
      const problem =
        'Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled';
      sendStatus(response, invalid('ListOptions', '', 'sendInitialEvents', problem).status);
      return;
    }
    const sink = streamWatch(response, show, clock);
    if (wanted.initialEvents && faults.watchList === 'error-event') {
      sink.error(refused(500, 'InternalError', 'etcdserver: RequestWatchProgress is disabled').status);
      sink.end();
      return;
    }
    const opened = openWatch(wanted, { store, clock, random, bookmarkMillis }, sink);
    if (opened.kind === 'refused') {
      sendStatus(response, opened.status);
      return;
    }
    sink.start();
    const forget = faults.watching(() => response.destroy());
    response.once('close', () => {
      opened.value.close();
      forget();
    });
  }

  return (message, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    handle(message, response, gone.signal).catch(() => {
      if (gone.signal.aborted) return;
      if (response.headersSent) response.destroy();
      else
        sendStatus(
          response,
          refused(500, 'InternalError', 'the sandbox cluster failed at this request').status,
        );
    });
  };
}

function readRequest(message: IncomingMessage): ApiRequest {
  const { method = 'GET', url = '/', headers } = message;
  const [path = '/', ...query] = url.split('?');
  const contentType = headers['content-type'] ?? '';
  return {
    method,
    path,
    query: new URLSearchParams(query.join('?')),
    accept: headers.accept ?? '',
    contentType,
    authorization: headers.authorization ?? '',
    readBody: () => readBody(message, contentType),
  };
}

function sendStatus(response: ServerResponse, status: Status): void {
  sendJson(response, status.code, status);
}

function sendJson(
  response: ServerResponse,
  code: number,
  body: JsonObject,
  contentType = 'application/json',
): void {
  response.writeHead(code, { 'content-type': contentType, 'cache-control': 'no-cache, private' });
  response.end(`${JSON.stringify(body)}\n`);
}
