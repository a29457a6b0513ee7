import { Agent, type IncomingMessage, request } from 'node:http';
import { messageOf } from '../base/errors.ts';

/** What a request to the real metadata service came to. */
export type UpstreamOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: IncomingMessage['headers'];
      readonly body: Uint8Array;
    }
  /** Not reached, broken off, or more than we take. `problem` is for a person. */
  | { readonly kind: 'failed'; readonly problem: string };

export interface UpstreamRequest {
  readonly method: 'GET' | 'PUT';
  /** As it goes into the request line. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The real metadata service. */
export interface Upstream {
  /** Rejects with the signal's reason when that aborts; what goes wrong otherwise is an outcome. */
  send(message: UpstreamRequest, signal: AbortSignal): Promise<UpstreamOutcome>;
  close(): void;
}

export interface UpstreamOptions {
  /** `http://169.254.169.254`. A path in it is not used. */
  readonly base: string;
  /** Longer bodies are not taken. */
  readonly maxBytes: number;
  /** Connections at a time; more requests wait, within their own bounds. */
  readonly maxConnections: number;
}

export function createUpstream({ base, maxBytes, maxConnections }: UpstreamOptions): Upstream {
  const { hostname, port, host } = new URL(base);
  // Connections are not kept: these requests are rare, and a reused one may be closed under them.
  const agent = new Agent({ keepAlive: false, maxSockets: maxConnections });
  return {
    send({ method, path, headers }, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<UpstreamOutcome>();
      const fail = (thrown: unknown) => {
        if (signal.aborted) reject(signal.reason);
        else resolve({ kind: 'failed', problem: messageOf(thrown) });
      };
      const message = request({
        agent,
        // The brackets of an IPv6 address belong to URLs only.
        hostname: hostname.replace(/^\[|\]$/g, ''),
        port: port === '' ? 80 : Number(port),
        method,
        path,
        // Everything is ours: nothing that the client sent goes further than here.
        headers: { ...headers, Host: host, 'Accept-Encoding': 'identity', 'Content-Length': '0' },
        signal,
      });
      message.on('error', fail);
      message.on('response', (response) => {
        collect(response, maxBytes).then((body) => {
          if (body === undefined) {
            message.destroy();
            resolve({ kind: 'failed', problem: `it answered with more than ${maxBytes} bytes` });
          } else {
            resolve({ kind: 'answered', status: response.statusCode ?? 0, headers: response.headers, body });
          }
        }, fail);
      });
      message.end();
      return promise;
    },
    close: () => agent.destroy(),
  };
}

/** The whole body, or undefined as soon as it is too long. */
async function collect(response: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
