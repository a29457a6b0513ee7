import { setTimeout as sleep } from 'node:timers/promises';
import { type PodSpec, podAddress } from '../cloud/pod-object.ts';
import { startCloud } from '../cloud/start-cloud.ts';
import type { FigureId } from '../figures.ts';
import { startFedServer } from '../lib/fed-server.ts';
import { liveHeapBytes } from '../lib/heap.ts';
import { idleCpuPercent } from '../lib/idle-cpu.ts';
import { measured } from '../lib/measurement.ts';
import { type MemoryFacts, memoryOf } from '../lib/process-facts.ts';
import { pick, type Row } from '../lib/row.ts';

const nodes = 50;
const wholeCluster = { firstPods: 10_000, morePods: 5_000 };
const roles = 200;
const podBytes = 5_000;

/** Memory and idle CPU of a server of a large cluster that feeds all of its nodes. */
export const server: Row = {
  name: 'server',
  title: `memory and idle CPU of a server with ${wholeCluster.firstPods} pods and ${nodes} agents`,
  async measure(context) {
    const { smoke, note, onEnd } = context;
    const { firstPods, morePods } = smoke ? { firstPods: 500, morePods: 100 } : wholeCluster;
    const cloud = await startCloud();
    onEnd(cloud.stop);
    note(`creating ${firstPods} pods`);
    await cloud.call('createPods', podRange(0, firstPods));

    async function startFeeding() {
      const fed = await startFedServer(cloud, { nodes, onEnd });
      await fed.untilServed(firstPods);
      await sleep(pick(context, 200, 1_000, 5_000));
      return { ...fed, fed: memoryOf(fed.process.pid) };
    }

    note(`listing by pages, and feeding ${nodes} agents`);
    await cloud.call('setListStreaming', false);
    const paged = await startFeeding();
    await paged.agents.stop();
    await paged.process.stop();
    note(`listing as a stream, and feeding ${nodes} agents`);
    await cloud.call('setListStreaming', true);
    const { process, untilServed, listed, fed } = await startFeeding();

    const idleSeconds = pick(context, 1, 5, 30);
    note(`watching it do nothing for ${idleSeconds} s`);
    const [cpu = Number.NaN] = await idleCpuPercent([process.pid], idleSeconds);

    const heapBefore = await liveHeapBytes(process);
    const collected = memoryOf(process.pid);
    note(`creating ${morePods} pods more`);
    await cloud.call('createPods', podRange(firstPods, morePods));
    await untilServed(firstPods + morePods);
    const grown = memoryOf(process.pid);
    const heapAfter = await liveHeapBytes(process);
    const regrown = memoryOf(process.pid);
    const perPod = (before: number, after: number) => (after - before) / morePods / 1_000;
    const resident = (id: FigureId, facts: { listed: MemoryFacts; fed: MemoryFacts }) =>
      measured(id, facts.fed.residentMb, {
        beside: `${facts.listed.residentMb.toFixed(1)} MB after the list, before the agents; anonymous ${facts.fed.anonymousMb.toFixed(1)} MB; ${firstPods} pods`,
        details: facts,
      });
    return [
      resident('server-streamed', { listed, fed }),
      resident('server-paged', { listed: paged.listed, fed: paged.fed }),
      measured('server-per-pod', perPod(heapBefore, heapAfter), {
        beside:
          `${grown.residentMb.toFixed(1)} MB resident with ${firstPods + morePods} pods; live heap ${(heapBefore / 1e6).toFixed(1)} MB with ${firstPods} pods, ${(heapAfter / 1e6).toFixed(1)} MB with ${firstPods + morePods}; ` +
          `resident, both after a collection: ${perPod(collected.residentMb * 1e6, regrown.residentMb * 1e6).toFixed(2)} kB a pod`,
      }),
      measured('server-idle', cpu, { beside: `over ${idleSeconds} s` }),
    ];
  },
};

/** All bound to one of some hundred roles, spread over the nodes. */
function podRange(from: number, count: number): PodSpec[] {
  return Array.from({ length: count }, (_, offset) => {
    const i = from + offset;
    return {
      name: `service-${i % 400}-6d4cf56db6-${i}`,
      node: `node-${i % nodes}`,
      address: podAddress(i),
      role: `team-role-${i % roles}`,
      bytes: podBytes,
    };
  });
}
