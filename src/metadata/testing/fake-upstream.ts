import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { compileAllowRoute } from '../allow-route.ts';
import type { MetadataProxyOptions } from '../proxy.ts';
import { type Door, openDoor } from './door.ts';

/** A metadata service on loopback that remembers what it was asked. */
export interface FakeUpstream {
  readonly url: string;
  readonly requests: readonly Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>[];
  /** Requests for metadata, without those for tokens. */
  readonly reads: readonly string[];
  stop(): void;
}

export type UpstreamHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface FakeUpstreamOptions {
  readonly onToken?: UpstreamHandler;
  readonly onRead?: UpstreamHandler;
}

export const ttlName = 'x-aws-ec2-metadata-token-ttl-seconds';

async function startUpstream(t: TestContext, options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const { onRead = (_, response) => response.end('ami-12345678') } = options;
  const { onToken = (_, response) => response.writeHead(200, { [ttlName]: '21600' }).end('upstream-token') } =
    options;
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    if (request.method === 'PUT') onToken(request, response);
    else onRead(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  t.after(stop);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get reads() {
      return requests.filter(({ method }) => method !== 'PUT').map(({ url }) => url ?? '');
    },
    stop,
  };
}

/** A door that passes on to a metadata service on loopback what the expression allows. */
export async function openProxy(
  t: TestContext,
  allowRoute: string,
  options: FakeUpstreamOptions & Omit<MetadataProxyOptions, 'allowRoute' | 'upstream'> = {},
) {
  const upstream = await startUpstream(t, options);
  const { onRead: _, onToken: __, ...proxy } = options;
  const allowed = await compileAllowRoute(allowRoute);
  const door: Door = await openDoor(t, {
    proxy: { ...proxy, allowRoute: allowed, upstream: upstream.url },
  });
  return { upstream, door };
}

/**
 * A metadata service that writes the bytes it is told to, for what no HTTP library can be brought to answer. It gives
 * out a token; `onRead` gets the head of every other request.
 */
export async function openRawProxy(
  t: TestContext,
  onRead: (socket: Socket, head: string) => void,
  options: Omit<MetadataProxyOptions, 'allowRoute' | 'upstream'> = {},
): Promise<Door> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.setEncoding('latin1').once('data', (chunk) => {
      const head = String(chunk);
      if (head.startsWith('PUT')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntoken');
      else onRead(socket, head);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return openDoor(t, { proxy: { ...options, allowRoute: await compileAllowRoute('.*'), upstream } });
}

/** Lets the event loop turn until something holds. The test's own time limit is the bound. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
