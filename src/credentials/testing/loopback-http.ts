import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LoopbackRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The form in the body; empty where there is none. */
  readonly form: URLSearchParams;
}

/** What to answer: a status and a body, `hang` or `reset`. */
export type LoopbackAnswer = { readonly status: number; readonly body: string } | 'hang' | 'reset';

/** An HTTP server on loopback that answers as told. Close it with `await using`. */
export async function startLoopbackHttp(answer: (request: LoopbackRequest) => LoopbackAnswer) {
  const requests: LoopbackRequest[] = [];
  const connections = new Set<unknown>();
  const arrived = Promise.withResolvers<void>();
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk) => {
      body += chunk;
    });
    incoming.on('end', () => {
      const { method = '', url: path = '', headers } = incoming;
      const request = { method, path, headers, form: new URLSearchParams(body) };
      requests.push(request);
      arrived.resolve();
      const answered = answer(request);
      if (answered === 'hang') return;
      if (answered === 'reset') incoming.socket.destroy();
      else response.writeHead(answered.status, { 'content-type': 'text/xml' }).end(answered.body);
    });
  });
  server.on('connection', (socket) => connections.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    /** Resolves with the first request. */
    arrived: arrived.promise,
    get connections() {
      return connections.size;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
