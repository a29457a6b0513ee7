import { setTimeout as sleep } from 'node:timers/promises';
import { startCloud } from '../../cloud/start-cloud.ts';
import { startFedServer } from '../../lib/fed-server.ts';
import { liveHeapBytes } from '../../lib/heap.ts';
import { idleCpuPercent } from '../../lib/idle-cpu.ts';
import { cpuSecondsOf, memoryOf, trafficOf } from '../../lib/process-facts.ts';
import { pick } from '../../lib/row.ts';
import type { Point } from '../series.ts';
import type { Dimension } from './dimension.ts';
import { spreadPods } from './spread-pods.ts';

const nodes = 50;
const identities = 200;

/** A server whose cluster gets fuller while it watches: what each pod costs to keep, and once to take in and pass on. */
export const podsOfCluster: Dimension = {
  name: 'podsOfCluster',
  title: 'a server, by the pods of the cluster',
  async measure(context) {
    const { note, onEnd } = context;
    const [first, ...more] = pick(
      context,
      [400, 800],
      [1_000, 5_000, 10_000],
      [2_000, 5_000, 10_000, 20_000],
    );
    const cloud = await startCloud();
    onEnd(cloud.stop);
    await cloud.call('createPods', spreadPods({ from: 0, count: first ?? 0, nodes, identities }));
    const { process, agents, untilServed } = await startFedServer(cloud, { nodes, onEnd, stsRate: 600 });
    const points: Point[] = [];

    async function point(n: number, added: Readonly<Record<string, number>>): Promise<void> {
      const heap = await liveHeapBytes(process);
      const [cpu = Number.NaN] = await idleCpuPercent([process.pid], pick(context, 1, 5, 15));
      const { residentMb } = memoryOf(process.pid);
      points.push({ n, values: { heapKb: heap / 1e3, residentMb, idlePercent: cpu, ...added } });
      note(`${n} pods: ${(heap / 1e6).toFixed(1)} MB of live heap, ${residentMb.toFixed(0)} MB resident`);
    }

    await untilServed(first ?? 0);
    await point(first ?? 0, {});
    let there = first ?? 0;
    for (const n of more) {
      const before = { cpu: cpuSecondsOf(process.pid), bytes: trafficOf(agents.pid).read };
      await cloud.call('createPods', spreadPods({ from: there, count: n - there, nodes, identities }));
      await untilServed(n);
      await sleep(500);
      const cpuMs = ((cpuSecondsOf(process.pid) - before.cpu) * 1e3) / (n - there);
      const pushedBytes = (trafficOf(agents.pid).read - before.bytes) / (n - there);
      there = n;
      await point(n, { newPodCpuMs: cpuMs, newPodPushedBytes: pushedBytes });
    }
    return { by: 'pods of the cluster', fixed: { agents: nodes, identities }, points };
  },
};
