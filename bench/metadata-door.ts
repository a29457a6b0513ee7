import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { createMetadataServer } from '../src/metadata/metadata-server.ts';
import { createTokenSigner, deriveTokenKey } from '../src/metadata/session-token.ts';
import { createFakeBroker, credentialsAnswer, fakeCaller } from '../src/metadata/testing/fake-broker.ts';
import { createSilentLogger } from '../src/telemetry/logger.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { median } from './lib/statistics.ts';
import { type LoadResult, runWrk } from './lib/wrk.ts';

/**
 * The metadata door alone, with a broker that always has the answer, for work on the door itself: `npm run bench` has
 * the whole agent. Against a bare `node:http` server that returns the same bytes. Each is a process of its own, both
 * are up, and they are loaded in turn, so that what else the machine does hits both. Prints medians and their ratio.
 *
 *     node bench/metadata-door.ts [--seconds 5] [--rounds 5] [--connections 64] [--token]
 *
 * Needs `wrk` on PATH.
 */

const path = '/latest/meta-data/iam/security-credentials/reader';
const secret = new TextEncoder().encode('a key that both processes know');

const { values } = parseArgs({
  options: {
    serve: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    token: { type: 'boolean', default: false },
  },
});

function createSigner() {
  return createTokenSigner({ keys: [deriveTokenKey(secret)], clock: systemClock });
}

async function serveDoor(): Promise<number> {
  const broker = createBenchBroker();
  const server = createMetadataServer({
    broker,
    tokenSigner: createSigner(),
    proxy: { upstream: 'http://127.0.0.1:9' },
    health: () => ({ ok: true, checks: [] }),
    liveness: () => ({ ok: true, checks: [] }),
    metrics: createMetrics(),
    logger: createSilentLogger(),
    clock: systemClock,
  });
  return (await server.listen({ host: '127.0.0.1', port: 0 })).port;
}

/** The fake broker keeps a list of its calls, which would grow without end here. */
function createBenchBroker() {
  const answer = credentialsAnswer(systemClock);
  return { ...createFakeBroker(systemClock), ask: () => answer };
}

/** Returns what the door returns, byte for byte, and looks at nothing. */
async function serveBare(reference: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${reference}${path}`);
  const body = await response.text();
  const kept = ['server', 'content-type', 'content-length', 'cache-control'];
  // A flat list is the fastest form there is: the floor is not made lower than it need be.
  const headers = kept.flatMap((name) => [name, response.headers.get(name) ?? '']);
  const server = createServer({ keepAliveTimeout: 65_000 }, (_, answer) => {
    answer.writeHead(200, headers);
    answer.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Starts this file as a server in a process of its own, and reads its port. */
async function start(what: string): Promise<{ port: number; stop: () => void }> {
  const child = spawn(process.execPath, ['--max-semi-space-size=1', import.meta.filename, '--serve', what], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = () => child.kill();
  process.once('exit', stop);
  for await (const chunk of child.stdout) return { port: Number(String(chunk)), stop };
  throw new Error(`${what} did not start`);
}

function load(port: number): Promise<LoadResult> {
  const headers = values.token
    ? { 'X-aws-ec2-metadata-token': createSigner().sign(fakeCaller.uid, 21_600) }
    : {};
  return runWrk({
    url: `http://127.0.0.1:${port}${path}`,
    connections: Number(values.connections),
    seconds: Number(values.seconds),
    headers,
  });
}

if (values.serve !== undefined) {
  const port = values.serve === 'door' ? await serveDoor() : await serveBare(Number(values.serve));
  process.stdout.write(String(port));
} else {
  const door = await start('door');
  const bare = await start(String(door.port));
  const runs: { door: LoadResult; bare: LoadResult }[] = [];
  await load(door.port);
  await load(bare.port);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const run = { bare: await load(bare.port), door: await load(door.port) };
    runs.push(run);
    console.log(
      `bare ${Math.round(run.bare.perSecond)}/s p99 ${run.bare.p99.toFixed(2)} ms, ` +
        `door ${Math.round(run.door.perSecond)}/s p99 ${run.door.p99.toFixed(2)} ms`,
    );
  }
  const rate = median(runs.map((run) => run.door.perSecond / run.bare.perSecond));
  const latency = median(runs.map((run) => run.door.p99 / run.bare.p99));
  console.log(
    `requests/s: ${rate.toFixed(3)} of bare (budget 0.85); p99: ${latency.toFixed(2)} of bare (budget 1.5)`,
  );
  door.stop();
  bare.stop();
}
