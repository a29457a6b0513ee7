import { setTimeout } from 'node:timers/promises';
import { roleKey } from '../end-to-end/annotate.ts';
import type { Cluster } from '../parts/cluster.ts';
import type { HistoryEvent, Span } from './history.ts';

/** Writes pods into the cluster, whatever happens to that meanwhile, and notes when what became true. */
export interface ClusterWriter {
  /** A running pod: created by a scheduler, its address given by kubelet. */
  add(pod: FaultPod): Promise<void>;
  setRole(pod: FaultPod, role: string): Promise<void>;
  remove(pod: FaultPod): Promise<void>;
}

export interface FaultPod {
  readonly name: string;
  readonly door: string;
  readonly nodeName: string;
  readonly address: string;
  readonly role: string;
}

export const namespace = 'team';
const pods = `/api/v1/namespaces/${namespace}/pods`;
const mergePatch = 'application/merge-patch+json';
/** An API server of a busy machine is back well before. */
const bound = 60_000;

export function createClusterWriter(cluster: Cluster, record: (event: HistoryEvent) => void): ClusterWriter {
  /** Until it is answered. What was asked for may have happened at an earlier try, whose answer was lost. */
  async function insist(
    attempt: (signal: AbortSignal) => Promise<{ readonly status: number; readonly body: unknown }>,
    accepted: readonly number[],
  ): Promise<Span> {
    const from = performance.now();
    for (;;) {
      const answer = await attempt(AbortSignal.timeout(5_000)).catch((error: Error) => ({
        status: 0,
        body: error.message,
      }));
      const to = performance.now();
      if (answer.status < 300 && answer.status >= 200) return { from, to };
      if (accepted.includes(answer.status)) return { from, to };
      if (to - from > bound)
        throw new Error(`the API answers ${answer.status}: ${JSON.stringify(answer.body)}`);
      await setTimeout(100);
    }
  }

  return {
    async add(pod) {
      const { name, door, nodeName, address, role } = pod;
      const body = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, annotations: { [roleKey]: role } },
        spec: { nodeName, containers: [{ name: 'app', image: 'example.invalid/app' }] },
      };
      await insist((signal) => cluster.request('POST', pods, { body, signal }), [409]);
      const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }], hostIP: '10.0.0.1' };
      const during = await insist(
        (signal) =>
          cluster.request('PATCH', `${pods}/${name}/status`, {
            body: { status },
            contentType: mergePatch,
            signal,
          }),
        [],
      );
      record({ kind: 'pod', during, door, address, uid: name, role });
    },
    async setRole({ name, door, address }, role) {
      const body = { metadata: { annotations: { [roleKey]: role } } };
      const during = await insist(
        (signal) => cluster.request('PATCH', `${pods}/${name}`, { body, contentType: mergePatch, signal }),
        [],
      );
      record({ kind: 'pod', during, door, address, uid: name, role });
    },
    async remove({ name, address }) {
      const path = `${pods}/${name}?gracePeriodSeconds=0`;
      const during = await insist((signal) => cluster.request('DELETE', path, { signal }), [404]);
      record({ kind: 'gone', during, address, uid: name });
    },
  };
}
