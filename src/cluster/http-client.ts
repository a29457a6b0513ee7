import {
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { messageOf } from '../base/errors.ts';
import { cleanText } from './clean-text.ts';
import type { ClusterAccess, ClusterTls } from './cluster-config.ts';

/** client-go's. Linux then gives a dead peer up within some 25 seconds, however quiet the watch is. */
const tcpKeepAliveMillis = 15_000;
/** Requests at one time; watches hold one each. */
const maxSockets = 32;

export interface HttpExchange {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly access: ClusterAccess;
  readonly signal: AbortSignal;
}

export interface HttpClient {
  /** Resolves with the head of the answer; the body is still to be read. Rejects when there is no answer. */
  send(exchange: HttpExchange): Promise<IncomingMessage>;
  close(): void;
}

/**
 * Keeps connections open between requests, and makes new ones as soon as the TLS material is not what it was: a
 * rotated certificate must not wait for an idle connection to die.
 */
export function createHttpClient(): HttpClient {
  const plain = new HttpAgent({ keepAlive: true, keepAliveMsecs: tcpKeepAliveMillis, maxSockets });
  let secure: { readonly tls: ClusterTls; readonly agent: HttpsAgent } | undefined;

  function secureAgent(tls: ClusterTls): HttpsAgent {
    if (!secure || !sameTls(secure.tls, tls)) {
      if (secure) retire(secure.agent);
      const agent = new HttpsAgent({
        ...tls,
        keepAlive: true,
        keepAliveMsecs: tcpKeepAliveMillis,
        maxSockets,
      });
      secure = { tls, agent };
    }
    return secure.agent;
  }

  return {
    send({ url, method, headers, body, access, signal }) {
      const isPlain = url.protocol === 'http:';
      const options: RequestOptions = {
        method,
        headers: {
          ...headers,
          ...access.headers,
          ...(body && { 'content-length': String(body.length) }),
        },
        agent: access.agent ?? (isPlain ? plain : secureAgent(access.tls)),
        signal,
      };
      return new Promise((resolve, reject) => {
        const outgoing = isPlain ? requestHttp(url, options) : requestHttps(url, options);
        outgoing.on('socket', (socket) => socket.setKeepAlive(true, tcpKeepAliveMillis));
        outgoing.on('response', resolve);
        outgoing.on('error', reject);
        outgoing.end(body);
      });
    },
    close() {
      plain.destroy();
      secure?.agent.destroy();
    },
  };
}

/** Requests and watches under way run to their end; idle connections close now, busy ones when they are done. */
function retire(agent: HttpsAgent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

/** What went wrong between here and the API server, for a person. Node leaves the text of some errors empty. */
export function describeNetworkError(thrown: unknown): string {
  const inner = thrown instanceof AggregateError ? (thrown.errors[0] as unknown) : thrown;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  return cleanText(messageOf(inner) || code || 'the connection failed', 512);
}

function sameTls(a: ClusterTls, b: ClusterTls): boolean {
  return (
    a === b ||
    (a.ca === b.ca &&
      a.cert === b.cert &&
      a.key === b.key &&
      a.servername === b.servername &&
      a.rejectUnauthorized === b.rejectUnauthorized)
  );
}
