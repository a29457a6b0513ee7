/**
 * The few fields that podpass keeps of each object of the Kubernetes API. A full pod is about 5 kB; these are a few
 * hundred bytes. Everything in them was written by somebody else: annotations are hostile text until `roles` has
 * parsed them.
 */

/** What every object has. Identity is `uid`; a name may be used again by another object. */
export interface ClusterObject {
  readonly uid: string;
  /** Empty for objects that have no namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
}

export interface Pod extends ClusterObject {
  /** Empty until the pod is scheduled. */
  readonly nodeName: string;
  readonly serviceAccountName: string;
  readonly phase: PodPhase;
  /** Shares the node's addresses: never identified by address. */
  readonly hostNetwork: boolean;
  /** Has a deletion timestamp. It still runs, and still needs its credentials, until its phase is final. */
  readonly terminating: boolean;
  /** `status.podIPs` (else `status.podIP`) as written there. */
  readonly podIPs: readonly string[];
  /** `status.hostIPs` (else `status.hostIP`) as written there. */
  readonly hostIPs: readonly string[];
  /** Only the keys that were asked for. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Node extends ClusterObject {
  /** Addresses that calls from the node come from, as written: its own, and those that its CNI noted in annotations. */
  readonly addresses: readonly string[];
  /** `spec.podCIDRs` (else `spec.podCIDR`) as written there. */
  readonly podCIDRs: readonly string[];
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

export interface Namespace extends ClusterObject {
  /** Only the keys that were asked for. */
  readonly annotations: Readonly<Record<string, string>>;
}
