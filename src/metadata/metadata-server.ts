import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type ListenOptions, Socket } from 'node:net';
import { messageOf, PodpassError } from '../base/errors.ts';
import { answerClientError } from './client-error.ts';
import { createConnections, isFlooding } from './connection.ts';
import { createDoor, type DoorOptions, type RequestLimits } from './door.ts';
import { drain } from './drain.ts';
import { stopParsing } from './stop-parsing.ts';

export interface MetadataServerOptions extends DoorOptions {
  readonly limits?: Partial<MetadataLimits>;
}

/** What one client, and all together, may take. */
export interface MetadataLimits extends RequestLimits {
  /** Request line and headers, in bytes. */
  readonly headerBytes: number;
  /** Until a request has arrived whole. */
  readonly requestMillis: number;
  /** How often lateness is looked for. */
  readonly checkMillis: number;
  /** A connection without a request. */
  readonly idleMillis: number;
  /** A connection on which nothing moves while an answer is due: its client does not read. Longer than any wait. */
  readonly stallMillis: number;
  readonly connectionsPerAddress: number;
  readonly connections: number;
}

/**
 * 1,024 connections from one address: a pod whose thousand processes start at once is a legitimate burst, and an idle
 * connection costs some 15 kB. Four such pods are what a node takes; a fifth gets its share of what they have.
 */
export const defaultLimits: MetadataLimits = {
  headerBytes: 8_192,
  headerCount: 64,
  bodyBytes: 4_096,
  requestMillis: 5_000,
  checkMillis: 1_000,
  idleMillis: 65_000,
  stallMillis: 30_000,
  connectionsPerAddress: 1_024,
  connections: 4_096,
};

export interface MetadataServer {
  /** @throws PodpassError ERR_LISTEN */
  listen(where: ListenAddress): Promise<AddressInfo>;
  /** Undefined before `listen`. */
  readonly address: AddressInfo | undefined;
  /**
   * Stops accepting, lets the requests under way finish, and after `graceMillis` ends what is left. Every answer in
   * that time closes its connection. Calling it again is no harm.
   *
   * @param lingerMillis until connections are closed on which nothing is under way. Default 250
   */
  close(graceMillis: number, lingerMillis?: number): Promise<void>;
}

export interface ListenAddress {
  /** All addresses, IPv4 and IPv6, if absent. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Lets the next process listen before this one stops. */
  readonly reusePort?: boolean;
}

/**
 * The EC2 metadata door: what pods reach at 169.254.169.254.
 */
export function createMetadataServer(options: MetadataServerOptions): MetadataServer {
  const { metrics, clock, podWaitMillis = 800 } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const connections = createConnections(
    { perAddress: limits.connectionsPerAddress, total: limits.connections },
    metrics,
  );
  let closing: Promise<void> | undefined;
  const door = createDoor(options, limits, () => closing !== undefined);

  function onRequest(request: IncomingMessage, response: ServerResponse, asks?: 'unknown-expectation'): void {
    const connection = connections.of(request.socket);
    // Refused connections are destroyed before they are read, so there is always one.
    if (connection === undefined || isFlooding(connection)) stopParsing(request.socket);
    else door.handle(request, response, connection, asks);
  }

  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.requestMillis,
      requestTimeout: limits.requestMillis,
      connectionsCheckingInterval: limits.checkMillis,
      keepAliveTimeout: limits.idleMillis,
      // The door answers that itself, with all its headers.
      requireHostHeader: false,
    },
    (request, response) => onRequest(request, response),
  );
  // Node would answer by itself, without a length and our headers, and read on as if there were no body.
  server.on('checkExpectation', (request, response) => onRequest(request, response, 'unknown-expectation'));
  // Node drops headers above this without a word: one more than are allowed, so that one too many is seen.
  server.maxHeadersCount = limits.headerCount + 1;
  server.timeout = limits.stallMillis + podWaitMillis;
  server.on('connection', (socket) => connections.open(socket));
  server.on('clientError', (error: { code?: string }, socket) => {
    if (socket instanceof Socket) answerClientError(error, socket, connections.of(socket)?.waiting ?? true);
    else socket.destroy();
  });

  return {
    async listen(where) {
      if (closing) throw new PodpassError('ERR_LISTEN', 'the metadata door has been closed.');
      return listen(server, where);
    },
    get address() {
      return addressOf(server);
    },
    close(graceMillis, lingerMillis = 250) {
      closing ??= drain(server, clock, graceMillis, lingerMillis).finally(() => door.close());
      return closing;
    },
  };
}

/**
 * Connections that the kernel makes before they are accepted. Of more it drops the first packet, whosever it is, which is
 * sent again after 1, 3, 7 s: a few pods that connect all at once kept others out for longer than any SDK waits. Linux
 * takes no more than this unless it is told to (`net.core.somaxconn`).
 */
const backlog = 4_096;

async function listen(
  server: Server,
  { host, port, reusePort = false }: ListenAddress,
): Promise<AddressInfo> {
  const where: ListenOptions = { port, reusePort, backlog, ...(host === undefined ? {} : { host }) };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onError = (cause: Error) => {
    const text = `cannot listen on ${host ?? '*'}:${port} for metadata: ${messageOf(cause)}. Is the port taken?`;
    reject(new PodpassError('ERR_LISTEN', text, { cause }));
  };
  server.once('error', onError);
  server.listen(where, resolve);
  await promise;
  server.removeListener('error', onError);
  const address = addressOf(server);
  if (address === undefined) throw new PodpassError('ERR_LISTEN', 'the metadata door has no address.');
  return address;
}

function addressOf(server: Server): AddressInfo | undefined {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address : undefined;
}
