import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../broker/broker.ts';
import type { Connection } from './connection.ts';
import type { Handler } from './meter.ts';
import type { Reply, StreamedReply } from './reply.ts';
import type { RequestHeaders } from './request-headers.ts';
import type { Route } from './route.ts';

/** One request on its way to an answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  readonly headers: RequestHeaders;
  readonly route: Route;
  /** Whose pod is asking: the connection's peer, unless the development option for another is on. */
  readonly address: string;
  /** Monotonic milliseconds. */
  readonly started: number;
  /** Under which label it is counted. */
  readonly handler: Handler;
  /** Who asked, as soon as that is known. For the log. */
  caller: Caller | undefined;
}

/** What a handler makes of a request: the answer, or what has to be waited for first. */
export type Step = Reply | StreamedReply | Later;

export interface Later {
  /**
   * Does what takes time, with a bound of its own, and resolves to the next step. That is taken, and its answer
   * written, in one turn of the event loop. Aborted when the client goes away.
   */
  readonly work: (signal: AbortSignal) => Promise<() => Step>;
}
