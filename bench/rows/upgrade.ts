import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cloud } from '../cloud/start-cloud.ts';
import { measured } from '../lib/measurement.ts';
import { startNodeOfPods } from '../lib/node-of-pods.ts';
import { type AgentProcess, type ServerProcess, startAgent, startServer } from '../lib/podpass.ts';
import { type Program, startProgram } from '../lib/program.ts';
import { credentialsPath } from '../lib/request.ts';
import { pick, type Row, type RowContext } from '../lib/row.ts';
import type { SteadyLoadInput, SteadyLoadReport } from '../programs/steady-load.ts';

/** Requests under way while something is replaced, and a moment before and after. */
const marginMillis = 500;

/**
 * What clients notice of an agent that is replaced, and of servers that are all restarted. On loopback, where the port is
 * all that an agent hands over; `npm run test:network` does it with pods, nodes and the rule.
 */
export const upgrade: Row = {
  name: 'upgrade',
  title: 'requests that fail while the agent is replaced, and while all servers are restarted',
  async measure(context) {
    const { cloud, server, agent, role } = await startNodeOfPods(context);
    const input: SteadyLoadInput = {
      port: agent.port,
      path: credentialsPath(role),
      keeping: 16,
      fresh: 16,
      pauseMillis: 10,
    };
    const load = await startProgram('steady-load', input, []);
    context.onEnd(load.stop);

    const rounds = pick(context, 1, 2, 6);
    const upgraded = await watching(load, () => replaceAgent(context, cloud, server, agent, rounds));
    context.note(`agent replaced ${rounds} times: ${describe(upgraded)}`);
    const restarts = pick(context, 1, 1, 3);
    const restarted = await watching(load, () => restartServers(context, cloud, server, restarts));
    context.note(`servers restarted ${restarts} times: ${describe(restarted)}`);
    const migrates = readMigration();
    return [
      measured('upgrade-failures', failuresOf(upgraded), {
        beside: `${rounds} times; ${describe(upgraded)}; no client tries twice; net.ipv4.tcp_migrate_req is ${migrates}`,
        details: upgraded,
      }),
      measured('restart-failures', failuresOf(restarted), {
        beside: `${restarts} times, each with 2 servers; ${describe(restarted)}`,
        details: restarted,
      }),
    ];
  },
};

/** As a DaemonSet with `maxSurge`: the old agent is asked to end when the new one is ready. */
async function replaceAgent(
  { onEnd, note }: RowContext,
  cloud: Cloud,
  server: ServerProcess,
  first: AgentProcess,
  rounds: number,
): Promise<void> {
  let current = first;
  for (let round = 0; round < rounds; round += 1) {
    const next = await startAgent(cloud, { node: 'node-0', servers: [server], port: first.port });
    onEnd(next.stop);
    await current.terminate();
    note(`agent ${round + 1} has taken over`);
    current = next;
  }
}

/** Both at once, so that for some seconds there is none; the agent does not change. */
async function restartServers(
  { onEnd }: RowContext,
  cloud: Cloud,
  server: ServerProcess,
  rounds: number,
): Promise<void> {
  let running = [server, await startServer(cloud)];
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(running.map(({ terminate }) => terminate()));
    running = await Promise.all(running.map(({ grpcPort }) => startServer(cloud, { grpcPort })));
    for (const { stop } of running) onEnd(stop);
  }
}

/** What the clients saw while `work` was done. */
async function watching(load: Program, work: () => Promise<void>): Promise<SteadyLoadReport> {
  const before = await load.latest<SteadyLoadReport>();
  await sleep(marginMillis);
  await work();
  await sleep(marginMillis);
  const after = await load.latest<SteadyLoadReport>();
  return difference(before, after);
}

function difference(before: SteadyLoadReport, after: SteadyLoadReport): SteadyLoadReport {
  const failures: Record<string, number> = {};
  for (const [kind, count] of Object.entries(after.failures)) {
    const more = count - (before.failures[kind] ?? 0);
    if (more > 0) failures[kind] = more;
  }
  return { requests: after.requests - before.requests, failures, longest: after.longest };
}

/** Requests that were not made did not succeed: a load that stood still is no proof. */
function failuresOf({ requests, failures }: SteadyLoadReport): number {
  if (requests === 0) throw new Error('no request was made meanwhile');
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}

function describe({ requests, failures, longest }: SteadyLoadReport): string {
  const kinds = Object.entries(failures).map(([kind, count]) => `${count} × ${kind}`);
  return `${requests} requests, ${kinds.length === 0 ? 'none failed' : kinds.join(', ')}, longest ${longest.toFixed(0)} ms`;
}

/** With 1 the kernel hands connections that one listener has not accepted yet to the other. */
function readMigration(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim();
  } catch {
    return 'unknown here';
  }
}
