import { setTimeout } from 'node:timers/promises';
import type { Cluster } from '../parts/cluster.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import type { KiamContainer } from './kiam-workload.ts';

/** What runs in a pod. */
export interface Running {
  stop(): Promise<void>;
}

export interface PlayedNode {
  readonly name: string;
  readonly hostIP: string;
}

export interface PlayedDaemonSet {
  readonly name: string;
  readonly nodes: readonly PlayedNode[];
  /** Resolves when it is ready. */
  start(container: KiamContainer, node: PlayedNode): Promise<Running>;
}

interface DaemonSet {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly updateStrategy: { readonly type: string };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: { readonly containers: readonly [KiamContainer] };
    };
  };
}

const folder = '/api/v1/namespaces/kube-system/pods';
const pollMillis = 50;

/**
 * Plays the DaemonSet controller and kubelet: one pod on each node from the template that there is, replaced as the
 * update strategy says; what runs in it is started and ended with it. A failure is thrown by `stop`.
 */
export function playKubelet(scope: Required<Scope>, cluster: Cluster, sets: readonly PlayedDaemonSet[]) {
  const running = new Map<string, { readonly process: Running; readonly made: string }>();
  let stopped = false;
  let failure: unknown;
  let serial = 0;

  const read = async (name: string): Promise<DaemonSet> =>
    (await cluster.must(
      'GET',
      `/apis/apps/v1/namespaces/kube-system/daemonsets/${name}`,
    )) as unknown as DaemonSet;

  async function startPod(set: PlayedDaemonSet, node: PlayedNode, { spec }: DaemonSet): Promise<string> {
    const name = `${set.name}-${++serial}`;
    const { metadata, spec: pod } = spec.template;
    await cluster.must('POST', folder, {
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name },
        spec: { ...pod, nodeName: node.name },
      },
    });
    const process = await set.start(pod.containers[0], node);
    running.set(name, { process, made: JSON.stringify(pod) });
    await cluster.patchPodStatus('kube-system', name, {
      phase: 'Running',
      hostIP: node.hostIP,
      podIP: node.hostIP,
      conditions: [{ type: 'Ready', status: 'True' }],
    });
    return name;
  }

  async function endPod(name: string): Promise<void> {
    await running.get(name)?.process.stop();
    running.delete(name);
    await cluster.deletePod('kube-system', name);
  }

  async function follow(set: PlayedDaemonSet): Promise<void> {
    const pods = new Map<string, string>();
    while (!stopped) {
      const object = await read(set.name);
      const wanted = JSON.stringify(object.spec.template.spec);
      for (const node of set.nodes) {
        const name = pods.get(node.name);
        if (name !== undefined && !(await mustEnd(name, object, wanted))) continue;
        if (name !== undefined) await endPod(name);
        pods.set(node.name, await startPod(set, node, object));
      }
      const upToDate = [...pods.values()].every((name) => running.get(name)?.made === wanted);
      await report(set, object, upToDate ? set.nodes.length : 0);
      await setTimeout(pollMillis);
    }
  }

  async function mustEnd(name: string, { spec }: DaemonSet, wanted: string): Promise<boolean> {
    const isOld = running.get(name)?.made !== wanted;
    if (isOld && spec.updateStrategy.type === 'RollingUpdate') return true;
    const pod = await cluster.must('GET', `${folder}/${name}`);
    return (pod.metadata as { deletionTimestamp?: string }).deletionTimestamp !== undefined;
  }

  async function report(set: PlayedDaemonSet, { metadata }: DaemonSet, updated: number): Promise<void> {
    const count = set.nodes.length;
    await cluster.must('PATCH', `/apis/apps/v1/namespaces/kube-system/daemonsets/${set.name}/status`, {
      contentType: 'application/merge-patch+json',
      body: {
        status: {
          observedGeneration: metadata.generation,
          desiredNumberScheduled: count,
          currentNumberScheduled: count,
          updatedNumberScheduled: updated,
          numberAvailable: count,
          numberReady: count,
          numberMisscheduled: 0,
        },
      },
    });
  }

  const following = Promise.all(sets.map(follow)).catch((error) => {
    failure = error;
  });

  async function stop(): Promise<void> {
    stopped = true;
    await following;
    if (failure !== undefined) throw failure;
  }
  stopWith(scope, () => stop().catch(() => {}));
  return {
    /** The images of what runs, by pod, in order. */
    images: () =>
      [...running].map(([name, { made }]) => `${name.replace(/-\d+$/, '')} ${imageOf(made)}`).sort(),
    /** What went wrong with it, if anything did. */
    check() {
      if (failure !== undefined) throw failure;
    },
    stop,
  };
}

function imageOf(podSpec: string): string {
  return (JSON.parse(podSpec) as { containers: [KiamContainer] }).containers[0].image;
}
