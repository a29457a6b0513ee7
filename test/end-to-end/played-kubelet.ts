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

export interface PlayedWorkload {
  readonly name: string;
  /** Default: it is a DaemonSet. A Deployment is taken to have a replica for each node. */
  readonly kind?: 'daemonset' | 'deployment';
  /** Those that there are for it; it runs on the ones that its template selects. */
  readonly nodes: readonly PlayedNode[];
  /** Resolves when it is ready. */
  start(container: KiamContainer, node: PlayedNode): Promise<Running>;
}

interface Workload {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    /** A Deployment has none. */
    readonly updateStrategy?: {
      readonly type: string;
      readonly rollingUpdate?: { readonly maxSurge?: number };
    };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly containers: readonly [KiamContainer];
        readonly nodeSelector?: Readonly<Record<string, string>>;
      };
    };
  };
}

const folder = '/api/v1/namespaces/kube-system/pods';
const pollMillis = 50;

/**
 * Plays the controllers of DaemonSets and Deployments, and kubelet: one pod on each node from the template that
 * there is, if there is one, replaced as the update strategy says; what runs in it is started and ended with it. A failure is thrown by `stop`.
 */
export function playKubelet(scope: Required<Scope>, cluster: Cluster, sets: readonly PlayedWorkload[]) {
  const running = new Map<string, { readonly process: Running; readonly made: string }>();
  let stopped = false;
  let failure: unknown;
  let serial = 0;

  const pathOf = ({ kind = 'daemonset' }: PlayedWorkload) => `/apis/apps/v1/namespaces/kube-system/${kind}s`;

  async function read(set: PlayedWorkload): Promise<Workload | undefined> {
    const list = await cluster.must('GET', `${pathOf(set)}?fieldSelector=metadata.name=${set.name}`);
    return (list.items as readonly Workload[])[0];
  }

  async function nodesOf(set: PlayedWorkload, object: Workload | undefined): Promise<readonly PlayedNode[]> {
    if (!object) return [];
    const selector = new URLSearchParams({
      labelSelector: Object.entries(object.spec.template.spec.nodeSelector ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    });
    const list = await cluster.must('GET', `/api/v1/nodes?${selector}`);
    const names = (list.items as readonly { metadata: { name: string } }[]).map(
      ({ metadata }) => metadata.name,
    );
    return set.nodes.filter(({ name }) => names.includes(name));
  }

  async function startPod(set: PlayedWorkload, node: PlayedNode, { spec }: Workload): Promise<string> {
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

  async function follow(set: PlayedWorkload): Promise<void> {
    const pods = new Map<string, string>();
    while (!stopped) {
      const object = await read(set);
      const wanted = JSON.stringify(object?.spec.template.spec);
      const hosts = await nodesOf(set, object);
      for (const node of set.nodes) {
        const name = pods.get(node.name);
        const belongs = object !== undefined && hosts.includes(node);
        if (name !== undefined && belongs && !(await mustEnd(name, object, wanted))) continue;
        const surges = belongs && (object.spec.updateStrategy?.rollingUpdate?.maxSurge ?? 0) > 0;
        if (name !== undefined && !surges) await endPod(name);
        if (belongs) pods.set(node.name, await startPod(set, node, object));
        else pods.delete(node.name);
        if (name !== undefined && surges) await endPod(name);
      }
      const upToDate = [...pods.values()].every((name) => running.get(name)?.made === wanted);
      if (object) await report(set, object, hosts.length, upToDate ? hosts.length : 0);
      await setTimeout(pollMillis);
    }
  }

  async function mustEnd(name: string, { spec }: Workload, wanted: string): Promise<boolean> {
    const isOld = running.get(name)?.made !== wanted;
    if (isOld && spec.updateStrategy?.type !== 'OnDelete') return true;
    const pod = await cluster.must('GET', `${folder}/${name}`);
    return (pod.metadata as { deletionTimestamp?: string }).deletionTimestamp !== undefined;
  }

  async function report(
    set: PlayedWorkload,
    { metadata }: Workload,
    count: number,
    updated: number,
  ): Promise<void> {
    // It may have been deleted meanwhile.
    await cluster.request('PATCH', `${pathOf(set)}/${set.name}/status`, {
      contentType: 'application/merge-patch+json',
      body: {
        status: {
          observedGeneration: metadata.generation,
          ...(set.kind === 'deployment'
            ? { replicas: count, updatedReplicas: updated, readyReplicas: count, availableReplicas: count }
            : {
                desiredNumberScheduled: count,
                currentNumberScheduled: count,
                updatedNumberScheduled: updated,
                numberAvailable: count,
                numberReady: count,
                numberMisscheduled: 0,
              }),
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
