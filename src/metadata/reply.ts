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
  const headers = [
    'Server',
    serverName,
    'Content-Type',
    contentType,
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Cache-Control',
    'no-store',
    ...extra,
  ];
  return { status, headers, body, closes };
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
