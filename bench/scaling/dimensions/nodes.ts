import { setTimeout as sleep } from 'node:timers/promises';
import { startCloud } from '../../cloud/start-cloud.ts';
import { startNodeAgents, untilSynced } from '../../lib/fed-server.ts';
import { liveHeapBytes } from '../../lib/heap.ts';
import { startServer } from '../../lib/podpass.ts';
import { cpuSecondsOf, memoryOf, trafficOf } from '../../lib/process-facts.ts';
import { pick } from '../../lib/row.ts';
import type { Point } from '../series.ts';
import type { Dimension } from './dimension.ts';
import { spreadPods } from './spread-pods.ts';

const pods = 2_000;
const identities = 200;

/** A server of one cluster that feeds more and more of its nodes: a new server for each number of agents. */
export const nodes: Dimension = {
  name: 'nodes',
  title: 'a server, by the agents that it feeds',
  async measure(context) {
    const { note, onEnd } = context;
    const counts = pick(context, [5, 10], [25, 100, 200], [50, 100, 200, 400]);
    const mostNodes = Math.max(...counts);
    const cloud = await startCloud();
    onEnd(cloud.stop);
    await cloud.call('createPods', spreadPods({ from: 0, count: pods, nodes: mostNodes, identities }));
    const points: Point[] = [];
    for (const n of counts) {
      const server = await startServer(cloud, { stsRate: 600 });
      onEnd(server.stop);
      // The first agents pay for what all need: code, and every identity once.
      const first = await startNodeAgents(cloud, [server], 5);
      onEnd(first.stop);
      await untilSynced(first, 5);
      await sleep(1_000);
      const before = cpuSecondsOf(server.pid);
      const agents = await startNodeAgents(cloud, [server], n);
      onEnd(agents.stop);
      await untilSynced(agents, n);
      await sleep(1_000);
      const opening = cpuSecondsOf(server.pid) - before;
      const heap = await liveHeapBytes(server);
      // What an opening leaves behind is no rest.
      await sleep(pick(context, 200, 3_000, 10_000));
      const idle = await restOf(server.pid, agents.pid, pick(context, 1, 10, 20));
      const values = {
        heapKb: heap / 1e3,
        residentMb: memoryOf(server.pid).residentMb,
        openingCpuMs: opening * 1e3,
        ...idle,
      };
      points.push({ n, values });
      note(
        `${n} agents: ${(heap / 1e6).toFixed(1)} MB of live heap, idle ${idle.idlePercent.toFixed(2)} % of a core`,
      );
      await agents.stop();
      await first.stop();
      await server.stop();
    }
    return { by: 'agents of the server', fixed: { pods, identities }, points };
  },
};

/** What a server and its agents do when nothing happens. */
async function restOf(server: number, agents: number, seconds: number) {
  const look = () => ({ at: performance.now(), cpu: cpuSecondsOf(server), bytes: trafficOf(agents) });
  const before = look();
  await sleep(seconds * 1e3);
  const after = look();
  const elapsed = (after.at - before.at) / 1e3;
  const bytes = after.bytes.read - before.bytes.read + (after.bytes.written - before.bytes.written);
  return {
    idlePercent: (100 * (after.cpu - before.cpu)) / elapsed,
    idleBytesPerSecond: bytes / elapsed,
  };
}
