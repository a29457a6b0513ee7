import { type PodSpec, podAddress } from '../cloud/pod-object.ts';
import { startCloud } from '../cloud/start-cloud.ts';
import type { FigureId } from '../figures.ts';
import { compareDoor } from '../lib/compare-door.ts';
import { measured } from '../lib/measurement.ts';
import { loadRole, podsOfANode, podsOfNode, untilAllServed } from '../lib/node-of-pods.ts';
import { startStandalone } from '../lib/podpass.ts';
import { memoryOf } from '../lib/process-facts.ts';
import { credentialsPath } from '../lib/request.ts';
import { pick, type Row } from '../lib/row.ts';
import { runWrk } from '../lib/wrk.ts';

const fewPods = 10;

/**
 * `podpass standalone` with a full node: its memory in a small and in a large cluster, whose other pods the API server
 * keeps from it, then its door against a bare server.
 */
export const standalone: Row = {
  name: 'standalone',
  title: `memory of a standalone process with ${podsOfANode} pods, and credentials requests at it`,
  hasFlame: true,
  async measure(context) {
    const { note, onEnd, flame } = context;
    const cloud = await startCloud();
    onEnd(cloud.stop);
    await cloud.call('createPods', [...podsOfNode, ...podsOfOthers(0, fewPods)]);
    const seconds = pick(context, 1, 3, 15);

    async function measureMemory(id: FigureId, others: number) {
      const process = await startStandalone(cloud, { node: 'node-0', profiled: flame !== undefined });
      onEnd(process.stop);
      await untilAllServed(process.port);
      const before = memoryOf(process.pid);
      note(`loading for ${seconds} s, with ${others} pods on other nodes`);
      const url = `http://127.0.0.1:${process.port}${credentialsPath(loadRole)}`;
      await runWrk({ url, connections: 64, seconds });
      const loaded = memoryOf(process.pid);
      const measurement = measured(id, loaded.residentMb, {
        beside: `${others} pods on other nodes; anonymous ${loaded.anonymousMb.toFixed(1)} MB; before the load ${before.residentMb.toFixed(1)} MB`,
        details: { before, loaded },
      });
      return { process, measurement };
    }

    const few = await measureMemory('standalone-few', fewPods);
    await few.process.stop();
    const manyPods = pick(context, 200, 2_000, 10_000);
    note(`creating pods on other nodes, ${manyPods} in all`);
    await cloud.call('createPods', podsOfOthers(fewPods, manyPods - fewPods));
    const many = await measureMemory('standalone-many', manyPods);
    const door = { ...many.process, name: 'standalone', role: loadRole } as const;
    return [few.measurement, many.measurement, ...(await compareDoor(context, door))];
  },
};

function podsOfOthers(from: number, count: number): PodSpec[] {
  return Array.from({ length: count }, (_, offset) => {
    const i = from + offset;
    return {
      name: `other-${i}`,
      node: `node-${1 + (i % 50)}`,
      address: podAddress(podsOfANode + i),
      role: `team-role-${i % 200}`,
      bytes: 5_000,
    };
  });
}
