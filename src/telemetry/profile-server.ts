import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { messageOf, PodpassError, unreachable } from '../base/errors.ts';
import { type ProfileRoute, routeProfile } from './profile-route.ts';
import { takeCpuProfile, takeHeapProfile } from './take-profile.ts';

export interface ProfileServerOptions {
  readonly clock: Clock;
  /** An address of loopback. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export interface ProfileServer {
  readonly port: number;
  /** Ends at once, and with it a profile that is being taken. */
  close(): Promise<void>;
}

/**
 * Takes CPU and heap profiles on request, where kiam has Go's pprof: `/debug/pprof/`, `/debug/pprof/profile` and
 * `/debug/pprof/heap`, one at a time. There is no heap snapshot: it would hold the credentials of every pod.
 *
 * @throws PodpassError ERR_LISTEN
 */
export async function startProfileServer({
  clock,
  host,
  port,
}: ProfileServerOptions): Promise<ProfileServer> {
  const closing = new AbortController();
  let isTaking = false;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = routeProfile(request);
    if (route.kind !== 'profile') {
      respond(response, route);
      return;
    }
    if (isTaking) {
      respond(response, {
        kind: 'refused',
        status: 503,
        text: 'another profile is being taken; try again later',
      });
      return;
    }
    isTaking = true;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const take = route.of === 'cpu' ? takeCpuProfile : takeHeapProfile;
      const signal = AbortSignal.any([closing.signal, gone.signal]);
      const body = await take({ clock, millis: route.seconds * 1_000, signal });
      const file = `podpass-${process.pid}.${route.of}profile`;
      const headers = { ...usual, 'content-disposition': `attachment; filename="${file}"` };
      response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(body);
    } finally {
      isTaking = false;
    }
  }

  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (closing.signal.aborted || response.destroyed) response.destroy();
      else respond(response, { kind: 'refused', status: 500, text: messageOf(error) });
    });
  });
  server.maxConnections = 8;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const text = `cannot listen on ${host}:${port} for profiles: ${messageOf(cause)}`;
      reject(new PodpassError('ERR_LISTEN', text, { cause }));
    });
    server.listen({ host, port }, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        closing.abort(new DOMException('the process ends', 'AbortError'));
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const usual = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

const index = `profiles of this process, one at a time:

/debug/pprof/profile?seconds=30   where CPU time goes: save as .cpuprofile
/debug/pprof/heap?seconds=30      which functions allocated what is still alive: save as .heapprofile

Open them in the developer tools of Chrome or Visual Studio Code. Neither holds any value.
There is no heap snapshot: it would hold the credentials of every pod.
`;

function respond(response: ServerResponse, route: Exclude<ProfileRoute, { kind: 'profile' }>): void {
  const headers = { ...usual, 'content-type': 'text/plain; charset=utf-8' };
  switch (route.kind) {
    case 'index':
      response.writeHead(200, headers).end(index);
      return;
    case 'refused':
      response.writeHead(route.status, headers).end(`${route.text}\n`);
      return;
    default:
      unreachable(route);
  }
}
