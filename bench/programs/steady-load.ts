// Clients that ask for credentials at a steady pace, while something happens to whom they ask. None tries twice: each
// request that fails is counted, with how.

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { input, say } from './say.ts';

export interface SteadyLoadInput {
  readonly port: number;
  readonly path: string;
  /** Clients that keep their connection. */
  readonly keeping: number;
  /** Clients that make a new connection for each request, as most SDKs do. */
  readonly fresh: number;
  /** Between an answer and the next request of a client. */
  readonly pauseMillis: number;
}

/** Since the start. */
export interface SteadyLoadReport {
  readonly requests: number;
  /** By how they failed: `ECONNREFUSED`, `status 503`, `timeout`. */
  readonly failures: Readonly<Record<string, number>>;
  /** The longest that a request took, in milliseconds. */
  readonly longest: number;
}

/** As long as any SDK waits for a metadata service, and some. */
const boundMillis = 10_000;
const reportMillis = 100;

const { port, path, keeping, fresh, pauseMillis } = input<SteadyLoadInput>();
const failures: Record<string, number> = {};
let requests = 0;
let longest = 0;

/** How it failed, or undefined. */
function askOnce(agent: Agent | false): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, path, agent, signal: AbortSignal.timeout(boundMillis) },
      (response) => {
        response.resume();
        response.once('error', (error) => resolve(codeOf(error)));
        response.once('end', () =>
          resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`),
        );
      },
    );
    sent.once('error', (error) => resolve(codeOf(error)));
    sent.end();
  });
}

function codeOf(error: Error): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'timeout';
  return 'code' in error ? String(error.code) : error.message;
}

async function client(agent: Agent | false): Promise<never> {
  for (;;) {
    const began = performance.now();
    const failure = await askOnce(agent);
    requests += 1;
    longest = Math.max(longest, performance.now() - began);
    if (failure !== undefined) failures[failure] = (failures[failure] ?? 0) + 1;
    await sleep(pauseMillis);
  }
}

for (let i = 0; i < keeping; i += 1) void client(new Agent({ keepAlive: true, maxSockets: 1 }));
for (let i = 0; i < fresh; i += 1) void client(false);
setInterval(() => say({ requests, failures, longest } satisfies SteadyLoadReport), reportMillis);
