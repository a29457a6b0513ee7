import type { FakeClock } from '../../../src/base/fake-clock.ts';
import type { Random } from '../../../src/base/random.ts';
import { type ApiServer, podsPath } from './api-server.ts';
import type { Draft } from './cluster-state.ts';

/** What a pod is made from. */
export interface PodTemplate {
  readonly namespace: string;
  readonly name: string;
  readonly role: string | undefined;
  readonly sessionName: string | undefined;
  readonly externalId: string | undefined;
  readonly hostNetwork: boolean;
}

/** A node as far as pods go: its address, and those that it may give away. */
export interface SimNode {
  readonly name: string;
  readonly ip: string;
  /** The one that was freed last comes first: an address is used again at once. */
  readonly free: string[];
}

/** A pod of a node, from the moment in which its network is there until that is gone. */
export interface SimPod {
  readonly uid: string;
  readonly template: PodTemplate;
  readonly node: SimNode;
  readonly address: string;
  isRunning: boolean;
  isDeleted: boolean;
}

export interface PodsOptions {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly api: ApiServer;
  /** Its containers begin to run. */
  readonly onStart: (pod: SimPod) => void;
}

/** The pods, as kubelets and network plugins bring them about. What the API says of them comes later than what is so. */
export interface Pods {
  /** `undefined` where the node has no address left, or the name is taken. */
  create(node: SimNode, template: PodTemplate): SimPod | undefined;
  /** Its containers exit. The object stays, and keeps the address that it had. */
  finish(pod: SimPod, phase: 'Succeeded' | 'Failed'): void;
  /** In order: it is told to end, ends, frees its address, and then its object goes. */
  remove(pod: SimPod): void;
  /** The object goes first. */
  removeByForce(pod: SimPod): void;
  annotate(pod: SimPod, template: PodTemplate): void;
  readonly all: ReadonlySet<SimPod>;
  /** Whose an address is on the network. */
  owner(address: string): SimPod | undefined;
}

/** How long the API is behind kubelet, in milliseconds. */
const reportMillis = 400;

export function createPods({ clock, random, api, onStart }: PodsOptions): Pods {
  const all = new Set<SimPod>();
  const owners = new Map<string, SimPod>();
  const { state } = api;

  const later = (millis: number, fn: () => void) => clock.setTimer(random.next() * millis, fn);

  function put({ namespace, name }: PodTemplate, change: Omit<Draft, 'name' | 'namespace'>): void {
    state.put(podsPath, { namespace, name, ...change });
  }

  /** Whether the object of that name is still this pod's. */
  function isThere({ uid, template: { namespace, name } }: SimPod): boolean {
    return state.get(podsPath, namespace, name)?.metadata.uid === uid;
  }

  function report(pod: SimPod, status: Draft['status']): void {
    later(reportMillis, () => {
      // kubelet never says that a pod runs after it has said that it ended.
      const isOutdated = status?.phase === 'Running' && !pod.isRunning;
      if (isThere(pod) && !isOutdated) put(pod.template, { ...(status && { status }) });
    });
  }

  function stop(pod: SimPod): void {
    if (!pod.isRunning) return;
    pod.isRunning = false;
    if (pod.template.hostNetwork || owners.get(pod.address) !== pod) return;
    owners.delete(pod.address);
    pod.node.free.unshift(pod.address);
  }

  function drop(pod: SimPod): void {
    const { namespace, name } = pod.template;
    if (isThere(pod)) state.remove(podsPath, namespace, name);
    pod.isDeleted = true;
    all.delete(pod);
  }

  return {
    all,
    owner: (address) => owners.get(address),
    create(node, template) {
      const { namespace, name, hostNetwork } = template;
      if (state.get(podsPath, namespace, name)) return undefined;
      const address = hostNetwork ? node.ip : node.free.shift();
      if (address === undefined) return undefined;
      const object = state.put(podsPath, {
        namespace,
        name,
        annotations: annotationsOf(template),
        spec: { nodeName: node.name, ...(hostNetwork && { hostNetwork }) },
        status: { phase: 'Pending' },
      });
      const { uid } = object.metadata;
      const pod: SimPod = { uid, template, node, address, isRunning: true, isDeleted: false };
      all.add(pod);
      if (!hostNetwork) owners.set(address, pod);
      const status = {
        phase: 'Running',
        podIP: address,
        podIPs: [{ ip: address }],
        hostIP: node.ip,
        hostIPs: [{ ip: node.ip }],
      };
      report(pod, status);
      onStart(pod);
      return pod;
    },
    finish(pod, phase) {
      stop(pod);
      report(pod, { phase });
    },
    remove(pod) {
      if (isThere(pod)) put(pod.template, { isTerminating: true });
      later(3_000, () => {
        stop(pod);
        later(reportMillis, () => drop(pod));
      });
    },
    removeByForce(pod) {
      drop(pod);
      later(3_000, () => stop(pod));
    },
    annotate(pod, template) {
      if (isThere(pod)) put(template, { annotations: annotationsOf(template) });
    },
  };
}

function annotationsOf({ role, sessionName, externalId }: PodTemplate): Record<string, string> {
  return {
    ...(role !== undefined && { 'iam.amazonaws.com/role': role }),
    ...(sessionName !== undefined && { 'iam.amazonaws.com/session-name': sessionName }),
    ...(externalId !== undefined && { 'iam.amazonaws.com/external-id': externalId }),
  };
}
