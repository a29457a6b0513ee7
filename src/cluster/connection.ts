import type { StatusFailure } from './api-status.ts';

/**
 * A way to ask one cluster's API. Made by `createClusterConnection`; tests and the sandbox may stand in their own.
 * What the API server or the network does wrong is an outcome. Nothing is tried twice here: who asks knows better.
 */
export interface ClusterConnection {
  /** The address, for messages. */
  readonly server: string;
  /** One request, one JSON answer. Rejects only with the reason of `signal`. */
  requestJson(request: JsonRequest): Promise<JsonOutcome>;
  /**
   * One request whose answer is a line of JSON after another, without end: a watch. Rejects only with the reason of
   * `signal`. An opened stream must be read; leaving the loop, or aborting `signal`, frees its connection.
   */
  openStream(request: StreamRequest): Promise<StreamOutcome>;
  /** Ends every request and stream that is under way. */
  close(): void;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API: `/api/v1/pods`. Path segments are encoded by the caller. */
  readonly path: string;
  /** What is `undefined` is left out. */
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`; patches have types of their own. */
  readonly contentType?: string;
  /** Default `application/json`. */
  readonly accept?: string;
  /** For all of it: credentials, connecting, asking, and the last byte of the answer. */
  readonly timeoutMillis: number;
  readonly signal: AbortSignal;
}

export interface StreamRequest {
  readonly path: string;
  readonly query?: Query;
  readonly accept?: string;
  /** Until the head of the answer is there; an API server sends it before the first event. */
  readonly openMillis: number;
  /** Without a byte for so long, the stream ends as `silent`: the peer is gone and nobody said so. */
  readonly silenceMillis: number;
  readonly signal: AbortSignal;
}

/** Why there is no answer of use. */
export type RequestFailure =
  | StatusFailure
  /** Not reached in time, connection refused or cut, TLS failed, or whoever answers does not speak this protocol. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** The answer is larger than podpass is willing to hold. */
  | { readonly kind: 'oversized'; readonly message: string };

export type JsonOutcome =
  | { readonly kind: 'ok'; readonly status: number; readonly body: unknown }
  | RequestFailure;

export type StreamOutcome =
  | { readonly kind: 'open'; readonly items: AsyncGenerator<StreamItem, void, undefined> }
  | RequestFailure;

/** What a stream brings. `end` comes once and is the last, unless the signal aborts: that throws its reason. */
export type StreamItem =
  | { readonly kind: 'object'; readonly value: unknown }
  | { readonly kind: 'end'; readonly end: StreamEnd; readonly message: string };

/**
 * `closed`: the API server ended it in order. `lost`: the connection broke. `silent`: nothing came for too long.
 * `malformed`: a line is not JSON. `oversized`: a line is longer than podpass is willing to hold.
 */
export type StreamEnd = 'closed' | 'lost' | 'silent' | 'malformed' | 'oversized';

/** The failure in words, for a log line. */
export function describeFailure(failure: RequestFailure): string {
  if (failure.kind !== 'status') return failure.message;
  return `${failure.status}${failure.reason && ` ${failure.reason}`}: ${failure.message}`;
}
