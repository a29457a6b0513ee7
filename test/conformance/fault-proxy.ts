import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Scope, stopWith } from '../parts/scope.ts';

/** What of the metadata service a request is for. */
export type Target = 'token' | 'list' | 'credentials' | 'other';

/** What happens to a request on its way. What is not named passes as it is. */
export type Fault =
  /** Answered here, in the place of podpass. */
  | { readonly kind: 'answer'; readonly status: number; readonly body?: string }
  /** Never answered. */
  | { readonly kind: 'silence' }
  /** The connection is reset. */
  | { readonly kind: 'reset' }
  /** Passed on later, by so many milliseconds. */
  | { readonly kind: 'delay'; readonly millis: number }
  /** The answer loses this header. */
  | { readonly kind: 'without-header'; readonly name: string }
  /** Session tokens that were given before the fault are no longer good: podpass gets others than the client sent. */
  | { readonly kind: 'stale-tokens' }
  /** What comes without a session token is answered here. */
  | { readonly kind: 'tokenless'; readonly status: number }
  /** Credentials that are answered state this many seconds to go, whatever they have. */
  | { readonly kind: 'expiry'; readonly seconds: number };

/** One request of the client. */
export interface SeenRequest {
  readonly target: Target;
  /** Whether it came with a session token. */
  readonly withToken: boolean;
  /** What was answered; `undefined` where nothing was. */
  readonly status?: number;
}

/** A way into one pod, like a pod's door, on which things go wrong as they are told. */
export interface FaultProxy {
  /** What a client takes as its metadata endpoint. */
  readonly url: string;
  readonly faults: Map<Target, Fault>;
  /** From now on `stale-tokens` strikes the session tokens that were given so far. */
  age(): void;
  /** In the order of their answers. */
  readonly seen: readonly SeenRequest[];
  /** Called, and waited for, before anything becomes of a request. */
  onRequest: (target: Target) => unknown;
  /** Where podpass listens on 127.0.0.1. */
  upstreamPort: number;
}

export interface FaultProxyOptions {
  /** The pod's address: what podpass sees as the caller. */
  readonly podAddress: string;
  readonly upstreamPort: number;
}

interface Passage {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly target: Target;
  readonly fault: Fault | undefined;
  readonly isSpoiled: boolean;
  /** Keeps what was answered. */
  readonly note: (status?: number) => void;
}

const tokenHeader = 'x-aws-ec2-metadata-token';
const tree = '/latest/meta-data/iam/security-credentials';
const host = '127.0.0.1';

export function targetOf(method: string, path: string): Target {
  if (path === '/latest/api/token') return method === 'PUT' ? 'token' : 'other';
  if (path === tree || path === `${tree}/`) return 'list';
  return path.startsWith(`${tree}/`) ? 'credentials' : 'other';
}

export async function startFaultProxy(scope: Scope, options: FaultProxyOptions): Promise<FaultProxy> {
  const faults = new Map<Target, Fault>();
  const seen: SeenRequest[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const timers = new Set<NodeJS.Timeout>();
  const given = new Set<string>();
  let stale: ReadonlySet<string> = new Set();

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming;
    const target = targetOf(method, url);
    const withToken = incoming.headers[tokenHeader] !== undefined;
    await proxy.onRequest(target);
    const fault = faults.get(target);
    const isSpoiled = fault?.kind === 'stale-tokens' && stale.has(`${incoming.headers[tokenHeader]}`);
    const note = (status?: number) =>
      seen.push({ target, withToken, ...(status === undefined ? {} : { status }) });
    switch (fault?.kind) {
      case 'answer':
        note(fault.status);
        outgoing.writeHead(fault.status, {
          'content-type': 'text/plain',
          'content-length': fault.body?.length ?? 0,
        });
        outgoing.end(fault.body);
        return;
      case 'silence':
        note();
        return;
      case 'reset':
        note();
        incoming.socket.resetAndDestroy();
        return;
      case 'delay':
        await new Promise<void>((resolve) => timers.add(setTimeout(resolve, fault.millis)));
        break;
      case 'tokenless':
        if (withToken) break;
        note(fault.status);
        outgoing.writeHead(fault.status, { 'content-length': 0 }).end();
        return;
      case 'without-header':
      case 'stale-tokens':
      case 'expiry':
      case undefined:
        break;
    }
    if (incoming.socket.destroyed) note();
    else pass({ incoming, outgoing, target, fault, isSpoiled, note });
  }

  function pass({ incoming, outgoing, target, fault, isSpoiled, note }: Passage): void {
    const upstream = request({
      host,
      port: proxy.upstreamPort,
      localAddress: options.podAddress,
      agent,
      ...(incoming.method === undefined ? {} : { method: incoming.method }),
      path: incoming.url ?? '/',
      headers: isSpoiled ? withSpoiledToken(incoming.rawHeaders) : incoming.rawHeaders,
      setHost: false,
    });
    // The client has gone away: so does its request.
    outgoing.once('close', () => upstream.destroy());
    upstream.once('error', () => {
      note();
      incoming.socket.resetAndDestroy();
    });
    upstream.once('response', (answer) => {
      answer.toArray().then(
        (chunks: Buffer[]) => {
          const status = answer.statusCode ?? 0;
          note(status);
          if (target === 'token' && status === 200) given.add(Buffer.concat(chunks).toString());
          const body = rewritten(Buffer.concat(chunks), status, fault);
          outgoing.writeHead(status, answer.statusMessage, headersOf(answer, fault, body.length));
          // A HEAD has a length without bytes.
          outgoing.end(incoming.method === 'HEAD' ? undefined : body);
        },
        () => incoming.socket.resetAndDestroy(),
      );
    });
    incoming.pipe(upstream);
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  stopWith(scope, async () => {
    for (const timer of timers) clearTimeout(timer);
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const proxy: FaultProxy = {
    url: `http://${host}:${port}`,
    faults,
    age: () => {
      stale = new Set(given);
    },
    seen,
    onRequest: () => {},
    upstreamPort: options.upstreamPort,
  };
  return proxy;
}

function withSpoiledToken(rawHeaders: readonly string[]): string[] {
  return rawHeaders.map((text, i) =>
    i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === tokenHeader ? spoiled(text) : text,
  );
}

/** The same token with another letter in its middle. */
function spoiled(token: string): string {
  const middle = token.length >> 1;
  return token.slice(0, middle) + (token[middle] === 'A' ? 'B' : 'A') + token.slice(middle + 1);
}

function headersOf({ rawHeaders }: IncomingMessage, fault: Fault | undefined, length: number): string[] {
  const kept: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2);
    if (fault?.kind === 'without-header' && name.toLowerCase() === fault.name) continue;
    kept.push(
      name,
      fault?.kind === 'expiry' && name.toLowerCase() === 'content-length' ? `${length}` : value,
    );
  }
  return kept;
}

function rewritten(body: Buffer, status: number, fault: Fault | undefined): Buffer {
  if (fault?.kind !== 'expiry' || status !== 200 || body.length === 0) return body;
  const Expiration = new Date(Date.now() + fault.seconds * 1_000).toISOString().replace(/\.\d+Z$/, 'Z');
  return Buffer.from(JSON.stringify({ ...JSON.parse(body.toString()), Expiration }));
}
