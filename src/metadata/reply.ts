import type { ServerResponse } from 'node:http';

/**
 * An answer that is ready to be written. Replies are made once and written many times: the body is a string, because
 * Node joins that with the header to a single write, and the headers are a flat list, which it does not copy.
 */
export interface Reply {
  readonly status: number;
  /** Name, value, name, value: with the length, and with all that every answer of the door has. */
  readonly headers: string[];
  readonly body: string | Uint8Array;
  /** It is the last on its connection. */
  readonly closes: boolean;
}

/** Ours calls itself what the EC2 metadata service calls itself; some clients look. */
export const serverName = 'EC2ws';

export const plainText = 'text/plain; charset=utf-8';
export const json = 'application/json';

/** An answer whose body is still coming while it is written. Never one with secrets in it, and never a small one. */
export interface StreamedReply {
  readonly status: number;
  readonly headers: string[];
  readonly closes: boolean;
  /**
   * Writes the body, no faster than the client reads, within bounds of its own. Rejects where it breaks off; the
   * connection is then cut, so that half an answer never looks like a whole one.
   */
  readonly pour: (response: ServerResponse) => Promise<void>;
}

export interface ReplyOptions {
  /** A flat list of further headers. */
  readonly extra?: readonly string[];
  /** No request may follow on the connection. */
  readonly closes?: boolean;
}

/** Makes a reply. Nothing is ever compressed, cached or without a length. */
export function createReply(
  status: number,
  contentType: string,
  body: string | Uint8Array,
  { extra = [], closes = false }: ReplyOptions = {},
): Reply {
  return { status, headers: createHead(contentType, Buffer.byteLength(body), extra), body, closes };
}

/** The headers that every answer has. A length is absent only where the answer is streamed, or has no body. */
export function createHead(
  contentType: string,
  length: number | undefined,
  extra: readonly string[] = [],
): string[] {
  const lengthHeader = length === undefined ? [] : ['Content-Length', String(length)];
  return [
    'Server',
    serverName,
    'Content-Type',
    contentType,
    ...lengthHeader,
    'Cache-Control',
    'no-store',
    ...extra,
  ];
}

/** An error as text, which ends in a line feed, as kiam's do. */
export function createTextReply(status: number, text: string, options?: ReplyOptions): Reply {
  return createReply(status, plainText, `${text}\n`, options);
}

/**
 * An error that SDKs show to people: some read `Code` and `Message`, others `code` and `message`.
 */
export function createErrorReply(
  status: number,
  { code, message }: { readonly code: string; readonly message: string },
  options?: ReplyOptions,
): Reply {
  const body = { Code: code, Message: message, code, message };
  return createReply(status, json, `${JSON.stringify(body)}\n`, options);
}

/** Writes a reply. Node leaves the body of an answer to HEAD out and keeps its length. */
export function writeReply(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, reply.headers);
  response.end(reply.body);
}
