import type { Clock } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';
import { at, isObject, textAt } from './cluster-api/json.ts';
import type { ObjectStore } from './cluster-api/object-store.ts';
import { type KubeObject, timestamp } from './cluster-api/objects.ts';
import { resourceNamed } from './cluster-api/resources.ts';

/** A pod that runs in the sandbox. */
export interface RunningPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
}

export interface KubeletOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** Pods without a node, and those of this node, run here; others never start. */
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly onRunning: (pod: RunningPod) => void;
  readonly onGone: (pod: RunningPod) => void;
}

/**
 * The parts of scheduler, network plugin and kubelet that podpass looks at: gives each pod a node, an address of its
 * own in 127.64.0.0/10 (all of 127.0.0.0/8 is this machine on Linux) and the phase Running. Nothing is executed.
 * Returns how to stop.
 */
export function startKubelet(options: KubeletOptions): () => void {
  const { store, clock, nodeName, nodeAddress, onRunning, onGone } = options;
  const pods = resourceNamed('pods');
  const running = new Map<string, RunningPod>();
  let lastAddress = 0;

  function start(pod: KubeObject): void {
    if (running.has(pod.metadata.uid) || isFinished(pod)) return;
    const onNode = textAt(pod, 'spec', 'nodeName');
    if (onNode !== '' && onNode !== nodeName) return;
    const { uid, namespace = '', name } = pod.metadata;
    const isOnHostNetwork = at(pod, 'spec', 'hostNetwork') === true;
    const address = textAt(pod, 'status', 'podIP') || (isOnHostNetwork ? nodeAddress : nextAddress());
    const runningPod = { uid, namespace, name, address };
    running.set(uid, runningPod);
    if (onNode === '') {
      const spec = isObject(pod.spec) ? pod.spec : {};
      store.update(pods, { ...withoutVersion(pod), spec: { ...spec, nodeName } });
    }
    store.update(pods, { ...withoutVersion(pod), status: runningStatus(address) }, { part: 'status' });
    onRunning(runningPod);
  }

  function nextAddress(): string {
    lastAddress += 1;
    if (lastAddress > 0x3f_ff_ff)
      throw new PodpassError('ERR_SANDBOX', 'the sandbox has no pod addresses left');
    return `127.${64 + (lastAddress >> 16)}.${(lastAddress >> 8) & 255}.${lastAddress & 255}`;
  }

  function runningStatus(address: string) {
    const now = timestamp(clock.now());
    const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: now,
    }));
    return {
      phase: 'Running',
      podIP: address,
      podIPs: [{ ip: address }],
      hostIP: nodeAddress,
      hostIPs: [{ ip: nodeAddress }],
      startTime: now,
      conditions,
    };
  }

  function stop(uid: string): void {
    const pod = running.get(uid);
    running.delete(uid);
    if (pod) onGone(pod);
  }

  const unsubscribe = store.subscribe(({ type, resource, object }) => {
    if (resource !== pods) return;
    if (type === 'DELETED' || isFinished(object)) stop(object.metadata.uid);
    else start(object);
  });
  for (const pod of store.list(pods)) start(pod);
  return unsubscribe;
}

function isFinished(pod: KubeObject): boolean {
  const phase = textAt(pod, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

/** For writes that are not based on a version: this kubelet is the only one that writes what it writes. */
function withoutVersion(pod: KubeObject): KubeObject {
  const { resourceVersion: _, ...metadata } = pod.metadata;
  return { ...pod, metadata: metadata as KubeObject['metadata'] };
}
