import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFakeClock } from '../../../src/base/fake-clock.ts';
import type { Answer, Broker } from '../../../src/broker/broker.ts';
import { compileAllowRoute } from '../../../src/metadata/allow-route.ts';
import { createMetadataServer, type MetadataServerOptions } from '../../../src/metadata/metadata-server.ts';
import { createTokenSigner } from '../../../src/metadata/session-token.ts';
import { createSilentLogger } from '../../../src/telemetry/logger.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

const clock = createFakeClock();
const signer = createTokenSigner({ keys: [new Uint8Array(32).fill(7)], clock });

/** A pod of the fuzzed door, known by where its connections come from. */
export interface FuzzPod {
  /** `127.2.`: it has all addresses that begin so. */
  readonly net: string;
  readonly role: string;
  readonly secret: string;
  readonly token: string;
}

function pod(net: string, role: string): FuzzPod {
  return { net, role, secret: `secret-of-${role}`, token: signer.sign(`uid-of-${role}`, 21_600) };
}

export const reader = pod('127.2.', 'reader');
export const writer = pod('127.4.', 'writer');
/** Nobody has these addresses. */
export const nobody = '127.3.';

function answerOf(address: string): Answer {
  const found = [reader, writer].find(({ net }) => address.startsWith(net));
  if (!found) return { kind: 'unknown', address };
  const { role, secret } = found;
  return {
    kind: 'credentials',
    caller: { uid: `uid-of-${role}`, namespace: 'shop', name: role },
    role: { name: role, arn: `arn:aws:iam::123456789012:role/${role}` },
    credentials: {
      accessKeyId: 'ASIAFUZZ',
      secretAccessKey: secret,
      sessionToken: 'session-token',
      issuedAt: clock.now(),
      goodUntil: Number.POSITIVE_INFINITY,
      expiration: clock.now() + 3_600_000,
    },
  };
}

const broker: Broker = { ask: answerOf, askPatiently: async (address) => answerOf(address) };

export interface FuzzDoor {
  readonly port: number;
  close(): Promise<void>;
}

/** A real door on loopback. What its proxy is sent goes to `upstream`, a port of loopback. */
export async function openFuzzDoor(
  upstream: number,
  options: Partial<MetadataServerOptions> = {},
): Promise<FuzzDoor> {
  const server = createMetadataServer({
    broker,
    tokenSigner: signer,
    proxy: { upstream: `http://127.0.0.1:${upstream}`, allowRoute: await compileAllowRoute('.*') },
    health: () => ({ ok: true, checks: [] }),
    liveness: () => ({ ok: true, checks: [] }),
    metrics: createMetrics(),
    logger: createSilentLogger(),
    clock,
    podWaitMillis: 0,
    ...options,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { port, close: () => server.close(0) };
}

/** A metadata service behind the door that gives `onPath` each path that it is asked for. */
export async function openFuzzUpstream(onPath: (path: string) => void): Promise<FuzzDoor> {
  const server = createServer((request, response) => {
    if (request.method === 'PUT') response.setHeader('x-aws-ec2-metadata-token-ttl-seconds', '21600');
    else onPath(request.url ?? '');
    response.end(request.method === 'PUT' ? 'upstream-token' : 'upstream-value');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
