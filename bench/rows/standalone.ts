import { type PodSpec, podAddress } from '../cloud/pod-object.ts';
import { startCloud } from '../cloud/start-cloud.ts';
import { compareDoor } from '../lib/compare-door.ts';
import type { Measurement } from '../lib/measurement.ts';
import { loadRole, podsOfANode, podsOfNode, untilAllServed } from '../lib/node-of-pods.ts';
import { startStandalone } from '../lib/podpass.ts';
import { memoryOf } from '../lib/process-facts.ts';
import { credentialsPath } from '../lib/request.ts';
import type { Row } from '../lib/row.ts';
import { runWrk } from '../lib/wrk.ts';

const fewPods = 10;

/**
 * `podpass standalone` with a full node: its memory in a small and in a large cluster, whose other pods the API server
 * keeps from it, then its door against a bare server.
 */
export const standalone: Row = {
  name: 'standalone',
  title: `memory of a standalone process with ${podsOfANode} pods, and credentials requests at it`,
  async measure(context) {
    const { quick, note, onEnd } = context;
    const cloud = await startCloud();
    onEnd(cloud.stop);
    await cloud.call('createPods', [...podsOfNode, ...podsOfOthers(0, fewPods)]);
    const seconds = quick ? 3 : 15;

    async function measureMemory(others: number) {
      const process = await startStandalone(cloud, 'node-0');
      onEnd(process.stop);
      await untilAllServed(process.port);
      const before = memoryOf(process.pid);
      note(`loading for ${seconds} s, with ${others} pods on other nodes`);
      const url = `http://127.0.0.1:${process.port}${credentialsPath(loadRole)}`;
      await runWrk({ url, connections: 64, seconds });
      const loaded = memoryOf(process.pid);
      const measurement: Measurement = {
        what: `standalone, ${podsOfANode} pods, ${others} on other nodes, after load: resident memory`,
        value: loaded.residentMb,
        unit: 'MB',
        budget: { atMost: 130 },
        beside: `anonymous ${loaded.anonymousMb.toFixed(1)} MB; before the load ${before.residentMb.toFixed(1)} MB`,
        details: { before, loaded },
      };
      return { process, measurement };
    }

    const few = await measureMemory(fewPods);
    await few.process.stop();
    const manyPods = quick ? 2_000 : 10_000;
    note(`creating pods on other nodes, ${manyPods} in all`);
    await cloud.call('createPods', podsOfOthers(fewPods, manyPods - fewPods));
    const many = await measureMemory(manyPods);
    const door = { name: 'standalone', port: many.process.port, role: loadRole };
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
