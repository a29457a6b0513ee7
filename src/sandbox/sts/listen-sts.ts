import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from '../listen.ts';
import type { StsHttpRequest, StsReply } from './sts-http.ts';

/** An STS that can be called. */
export interface ListeningSts {
  /** What clients take as their endpoint: `http://127.0.0.1:12345`. */
  readonly url: string;
  readonly port: number;
  /** Stops at once: calls under way are cut off. */
  close(): Promise<void>;
}

/** Far above what a call with a web identity token, a policy and tags can have. */
const maxBody = 128 * 1024;

/** Puts the handler of an STS behind plain HTTP. */
export async function listenSts(
  handle: (request: StsHttpRequest, signal: AbortSignal) => Promise<StsReply>,
  host: string,
  port: number,
): Promise<ListeningSts> {
  const closing = new AbortController();
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.maxConnections = 1_024;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (!body) {
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
    const headers: Record<string, string> = {};
    for (const [name, values] of Object.entries(request.headersDistinct)) {
      headers[name] = values?.join(',') ?? '';
    }
    const { method = '', url: target = '' } = request;
    const reply = await handle({ method, target, headers, body }, closing.signal);
    if (reply.kind === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    response
      .writeHead(reply.status, { 'content-type': 'text/xml', 'x-amzn-requestid': reply.requestId })
      .end(reply.body);
  }

  const { port: actual, authority } = await listen(server, host, port, "the sandbox's STS");
  return {
    url: `http://${authority}`,
    port: actual,
    close: () =>
      new Promise((resolve) => {
        closing.abort(new DOMException('the STS is closing', 'AbortError'));
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The whole body, or `undefined` when it is too long to be a call. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
