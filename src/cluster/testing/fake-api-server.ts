import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { systemClock } from '../../base/clock.ts';
import type { FakeAnswer, FakeRequest } from './fake-cluster.ts';

export interface FakeApiServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Connections taken so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/**
 * Puts `answer` on the network, on a free port of loopback: a fake cluster's, or a script. With `tls` it speaks HTTPS.
 * What `answer` returns `undefined` for is its own to answer, by the raw response.
 */
export async function startFakeApiServer(
  answer: (request: FakeRequest, response: ServerResponse) => FakeAnswer | undefined,
  tls?: ServerOptions,
): Promise<FakeApiServer> {
  let connections = 0;
  const listener: RequestListener = async (incoming, response) => {
    const request = await readRequest(incoming);
    const given = answer(request, response);
    if (given) await write(given, response);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<FakeRequest> {
  const url = new URL(incoming.url ?? '/', 'http://fake');
  let text = '';
  for await (const chunk of incoming) text += chunk;
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([key, value]) => [key, String(value)])),
    ...(text !== '' && { body: JSON.parse(text) }),
  };
}

async function write(answer: FakeAnswer, response: ServerResponse): Promise<void> {
  switch (answer.kind) {
    case 'hang':
      return;
    case 'unreachable':
      response.destroy();
      return;
    case 'json': {
      const retry = answer.retryAfter === undefined ? {} : { 'retry-after': answer.retryAfter };
      response.writeHead(answer.status, { 'content-type': 'application/json', ...retry });
      response.end(JSON.stringify(answer.body));
      return;
    }
    case 'stream': {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      const items = answer.stream.items({
        clock: systemClock,
        silenceMillis: 3_600_000,
        signal: gone.signal,
      });
      try {
        for await (const item of items) {
          if (item.kind === 'object') response.write(`${JSON.stringify(item.value)}\n`);
          else if (item.end === 'closed') response.end();
          else response.destroy();
        }
      } catch {
        // The client went away.
      }
    }
  }
}
