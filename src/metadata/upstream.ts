import { Agent, type IncomingMessage, request } from 'node:http';
import { messageOf } from '../base/errors.ts';
import type { FailureReason, UpstreamFailure } from './upstream-failure.ts';

/** What a request to the real metadata service came to. */
export type UpstreamOutcome = UpstreamAnswer | UpstreamFailure;

export interface UpstreamAnswer {
  readonly kind: 'answered';
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Still coming. Whoever does not read it to its end destroys it. */
  readonly body: IncomingMessage;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  /** As it goes into the request line. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The real metadata service. */
export interface Upstream {
  /**
   * Resolves with the head of the answer. Rejects with the signal's reason when that aborts; what goes wrong otherwise
   * is an outcome. The signal goes on to hold for the body.
   */
  send(message: UpstreamRequest, signal: AbortSignal): Promise<UpstreamOutcome>;
  close(): void;
}

/** Of an answer: status line and headers, in bytes. The real service sends some 300. */
const headBytes = 8_192;

/** @param base `http://169.254.169.254`. A path in it is not used. */
export function createUpstream(base: string): Upstream {
  const { hostname, port, host } = new URL(base);
  // Connections are not kept: these requests are rare, a reused one may be closed under them, and what stands on one
  // after an answer can never be taken for the next.
  const agent = new Agent({ keepAlive: false });
  return {
    send({ method, path, headers }, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<UpstreamOutcome>();
      const message = request({
        agent,
        // The brackets of an IPv6 address belong to URLs only.
        hostname: hostname.replace(/^\[|\]$/g, ''),
        port: port === '' ? 80 : Number(port),
        method,
        path,
        headers: { ...headers, Host: host, 'Accept-Encoding': 'identity', 'Content-Length': '0' },
        maxHeaderSize: headBytes,
        signal,
      });
      message.on('error', (thrown: NodeJS.ErrnoException) => {
        if (signal.aborted) reject(signal.reason);
        else resolve(failureOf(thrown));
      });
      message.on('response', (body) => {
        // An answer that breaks off is for whoever reads it; it must not end the process when nobody does.
        body.on('error', () => {});
        resolve({ kind: 'answered', status: body.statusCode ?? 0, headers: body.headers, body });
      });
      message.on('upgrade', ({ statusCode }, socket) => {
        socket.destroy();
        resolve({ kind: 'failed', reason: 'status', problem: `it answered ${statusCode}` });
      });
      message.end();
      return promise;
    },
    close: () => agent.destroy(),
  };
}

/** Nobody is told what another host wrote: Node's texts are fixed. */
export function failureOf(thrown: unknown): UpstreamFailure {
  const code = (thrown as { code?: unknown }).code;
  const reason = reasonOf(typeof code === 'string' ? code : '');
  return { kind: 'failed', reason, problem: problemOf(reason, thrown) };
}

function problemOf(reason: FailureReason, thrown: unknown): string {
  if (reason === 'not-http')
    return `it did not answer in HTTP (${String((thrown as { code: unknown }).code)})`;
  return reason === 'broken-off' ? 'it broke off before its answer was whole' : messageOf(thrown);
}

function reasonOf(code: string): FailureReason {
  if (code.startsWith('HPE_')) return 'not-http';
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'broken-off' : 'unreachable';
}
