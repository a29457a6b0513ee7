import { setTimeout as sleep } from 'node:timers/promises';
import { type PodSpec, podAddress } from '../cloud/pod-object.ts';
import { machineMillis } from '../cloud/protocol.ts';
import type { FigureId } from '../figures.ts';
import { type Measurement, measured } from '../lib/measurement.ts';
import { startNodeOfPods } from '../lib/node-of-pods.ts';
import { ask, credentialsPath } from '../lib/request.ts';
import { pick, type Row } from '../lib/row.ts';
import { percentile } from '../lib/statistics.ts';

/** What STS takes here. Its real answers take from 50 to some hundred milliseconds. */
const stsMillis = 100;

/**
 * From a pod with its address in the API to its first credentials. The hardest case: the pod is there at once, with
 * node and address, nobody else has its identity, and it asks in the moment in which it has the address.
 */
export const propagation: Row = {
  name: 'propagation',
  title: 'from a pod in the API to its credentials at the agent',
  async measure(context) {
    const { cloud, agent } = await startNodeOfPods(context);
    await cloud.call('setStsLatency', stsMillis);
    let created = 1_000;

    /** Creates pods at once, and gives for each how long it was without credentials beyond what STS took. */
    async function create(count: number): Promise<number[]> {
      const pods = Array.from({ length: count }, (): PodSpec => {
        created += 1;
        const address = podAddress(created);
        return { name: `new-${created}`, node: 'node-0', address, role: `new-${created}`, bytes: 5_000 };
      });
      const moments = cloud.call('createPods', pods);
      const served = await Promise.all(pods.map((pod) => untilServed(agent.port, pod)));
      const since = await moments;
      await cloud.call(
        'deletePods',
        pods.map(({ name }) => name),
      );
      return served.map((at, i) => at - (since[i] ?? Number.NaN) - stsMillis);
    }

    await create(1);
    const single: number[] = [];
    for (let i = 0; i < pick(context, 5, 30, 150); i += 1) single.push(...(await create(1)));
    context.note(`one after the other: p99 ${percentile(single, 0.99).toFixed(1)} ms beyond STS`);
    const bursts: number[] = [];
    for (let i = 0; i < pick(context, 1, 2, 8); i += 1) {
      // The server's budget of calls fills up again.
      await sleep(1_500);
      bursts.push(...(await create(30)));
    }
    context.note(`bursts of 30: p99 ${percentile(bursts, 0.99).toFixed(1)} ms beyond STS`);
    return [figure('propagation-single', single), figure('propagation-burst', bursts)];
  },
};

function figure(id: FigureId, values: readonly number[]): Measurement {
  return measured(id, percentile(values, 0.99), {
    beside: `p50 ${percentile(values, 0.5).toFixed(1)} ms, longest ${Math.max(...values).toFixed(1)} ms, of ${values.length} pods; STS takes ${stsMillis} ms`,
    details: values,
  });
}

/** As an SDK that does not give up: asks, and asks again when it is put off. */
async function untilServed(port: number, { address, role = '' }: PodSpec): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { status } = await ask({ port, path: credentialsPath(role), from: address });
    if (status === 200) return machineMillis();
  }
  throw new Error(`the pod at ${address} got no credentials`);
}
