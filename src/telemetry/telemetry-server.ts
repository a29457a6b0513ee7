import { createServer } from 'node:http';
import { messageOf, PodpassError } from '../base/errors.ts';
import { formatHealthReport, type Health } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface TelemetryServerOptions {
  readonly metrics: Metrics;
  readonly health: Health;
  /** Further pages by their path, rendered as JSON, for callers on loopback alone. */
  readonly localPages?: ReadonlyMap<string, () => unknown>;
  /** Absent: all addresses, of IPv4 alone where the host has no IPv6. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Lets the next process listen before this one stops. Default no. */
  readonly reusePort?: boolean;
}

export interface TelemetryServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/metrics` (Prometheus text), `/healthz` (liveness) and `/readyz` (readiness), and pages for this host. It has an
 * address of its own, which pods need not reach.
 *
 * @throws PodpassError ERR_LISTEN
 */
export async function startTelemetryServer(options: TelemetryServerOptions): Promise<TelemetryServer> {
  const { metrics, health, host, port, reusePort = false, localPages } = options;
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000 },
    async (request, response) => {
      const path = request.url?.split('?', 1)[0];
      if (path === '/metrics') {
        const body = await metrics.registry.metrics();
        response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(body);
      } else if (path === '/healthz' || path === '/readyz') {
        const report = health.report(path === '/healthz' ? 'live' : 'ready');
        response
          .writeHead(report.ok ? 200 : 503, { 'content-type': 'text/plain' })
          .end(formatHealthReport(report));
      } else if (localPages?.has(path ?? '') && isLoopback(request.socket.remoteAddress)) {
        const page = localPages.get(path ?? '')?.();
        response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(page)}\n`);
      } else {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('try /metrics, /healthz or /readyz\n');
      }
    },
  );
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const text = `cannot listen on ${host ?? ''}:${port} for metrics and health: ${messageOf(cause)}. Is the port taken?`;
      reject(new PodpassError('ERR_LISTEN', text, { cause }));
    });
    server.listen({ port, reusePort, ...(host === undefined ? {} : { host }) }, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Whoever comes from another address is answered as if the page were not there. */
function isLoopback(address = ''): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}
