import type { TestContext } from 'node:test';
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts';
import { createMetadataServer, type MetadataServer, type MetadataServerOptions } from '../metadata-server.ts';
import { createTokenSigner, type TokenSigner } from '../session-token.ts';
import { createFakeBroker, type FakeBroker } from './fake-broker.ts';
import { connectRaw, type RawAnswer, type RawClient, type RawTarget } from './raw-client.ts';

/** A whole door on loopback with a fake broker behind it and a clock that stands still. */
export interface Door {
  readonly port: number;
  readonly server: MetadataServer;
  readonly broker: FakeBroker;
  readonly clock: FakeClock;
  readonly metrics: Metrics;
  readonly signer: TokenSigner;
  /** The log, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  connect(target?: Partial<RawTarget>): RawClient;
  /** One request on a connection of its own, which is closed afterwards. */
  request(method: string, target: string, options?: RequestOptions): Promise<RawAnswer>;
  get(target: string, options?: RequestOptions): Promise<RawAnswer>;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly from?: string;
}

export const treePath = '/latest/meta-data/iam/security-credentials';
export const tokenPath = '/latest/api/token';
export const tokenHeader = 'X-aws-ec2-metadata-token';

/** Starts a door that ends with the test. Nothing stands upstream unless the options say so. */
export async function openDoor(t: TestContext, options: Partial<MetadataServerOptions> = {}): Promise<Door> {
  const clock = createFakeClock();
  const broker = createFakeBroker(clock);
  const metrics = createMetrics();
  const signer = createTokenSigner({ keys: [new Uint8Array(32).fill(7)], clock });
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: 'debug',
    json: true,
    clock,
    write: (line) => lines.push(JSON.parse(line)),
  });
  const server = createMetadataServer({
    broker,
    tokenSigner: signer,
    // The discard port of loopback: never the link-local address.
    proxy: { upstream: 'http://127.0.0.1:9' },
    health: () => ({ ok: true, checks: [] }),
    liveness: () => ({ ok: true, checks: [] }),
    metrics,
    logger,
    clock,
    ...options,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));

  async function request(method: string, target: string, { headers = {}, from }: RequestOptions = {}) {
    const client = connectRaw({ port, ...(from === undefined ? {} : { from }) });
    client.send(requestText(method, target, headers));
    const answer = await client.receive({ head: method === 'HEAD' });
    client.close();
    return answer;
  }

  return {
    port,
    server,
    broker,
    clock,
    metrics,
    signer,
    lines,
    connect: (target) => connectRaw({ port, ...target }),
    request,
    get: (target, requestOptions) => request('GET', target, requestOptions),
  };
}

/** The bytes of a request without a body. */
export function requestText(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const all = { Host: '169.254.169.254', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
