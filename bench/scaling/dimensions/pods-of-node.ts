import { type PodSpec, podAddress } from '../../cloud/pod-object.ts';
import { startCloud } from '../../cloud/start-cloud.ts';
import { liveHeapBytes } from '../../lib/heap.ts';
import { idleCpuPercent } from '../../lib/idle-cpu.ts';
import { startAgent, startServer } from '../../lib/podpass.ts';
import { memoryOf } from '../../lib/process-facts.ts';
import { pick } from '../../lib/row.ts';
import { untilCredentials } from '../../lib/until-credentials.ts';
import type { Point } from '../series.ts';
import type { Dimension } from './dimension.ts';

/** An agent whose node gets fuller. Each pod has an identity of its own, which is the most that it can cost. */
export const podsOfNode: Dimension = {
  name: 'podsOfNode',
  title: 'an agent, by the pods of its node',
  async measure(context) {
    const { note, onEnd } = context;
    const cloud = await startCloud();
    onEnd(cloud.stop);
    const server = await startServer(cloud, { stsRate: 600 });
    onEnd(server.stop);
    const agent = await startAgent(cloud, { node: 'node-0', servers: [server] });
    onEnd(agent.stop);
    const points: Point[] = [];
    let there = 0;
    for (const n of pick(context, [5, 20], [10, 110, 500], [10, 110, 250, 500, 1_000])) {
      const pods = Array.from({ length: n - there }, (_, i): PodSpec => podAt(there + i));
      await cloud.call('createPods', pods);
      for (const pod of pods) await untilCredentials(agent.port, pod);
      there = n;
      const heap = await liveHeapBytes(agent);
      const [cpu = Number.NaN] = await idleCpuPercent([agent.pid], pick(context, 1, 5, 15));
      points.push({
        n,
        values: { heapKb: heap / 1e3, anonymousMb: memoryOf(agent.pid).anonymousMb, idlePercent: cpu },
      });
      note(`${n} pods: ${(heap / 1e6).toFixed(2)} MB of live heap`);
    }
    return { by: 'pods of the node', fixed: {}, points };
  },
};

function podAt(i: number): PodSpec {
  return { name: `pod-${i}`, node: 'node-0', address: podAddress(i), role: `role-${i}`, bytes: 5_000 };
}
