import type { Json } from '../../src/sandbox/cluster-api/json.ts';

/** A pod of the bench's cluster. */
export interface PodSpec {
  readonly name: string;
  readonly node: string;
  readonly address: string;
  /** Name of a role that it is bound to, and may have. */
  readonly role?: string;
  /** Size of the object as JSON, in bytes; it is filled up to that. */
  readonly bytes?: number;
}

/** The namespace of all of them. */
export const podNamespace = 'bench';

/**
 * A running pod as the API has it once kubelet has spoken: what a Deployment with a side-car leaves of the 5 kB that an
 * ordinary pod takes (owners, environment, volumes, conditions, managed fields).
 */
export function podObject({ name, node, address, role, bytes = 0 }: PodSpec): Json {
  const now = '2026-01-01T00:00:00Z';
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: podNamespace,
      name,
      labels: { app: name, 'pod-template-hash': '6d4cf56db6' },
      annotations: {
        ...(role !== undefined && { 'iam.amazonaws.com/role': role }),
        'prometheus.io/scrape': 'true',
        'checksum/config': 'f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2',
      },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-6d4cf56db6`, uid: name }],
      managedFields: [] as Json[],
    },
    spec: {
      nodeName: node,
      serviceAccountName: 'default',
      containers: [{ name: 'app', image: 'registry.example/app:1.2.3', env: [] as Json[] }],
      volumes: [
        {
          name: 'token',
          projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: 'token' } }] },
        },
      ],
    },
    status: {
      phase: 'Running',
      podIP: address,
      podIPs: [{ ip: address }],
      hostIP: hostAddress(node),
      hostIPs: [{ ip: hostAddress(node) }],
      startTime: now,
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: now,
      })),
      containerStatuses: [{ name: 'app', ready: true, restartCount: 0, started: true, image: 'app:1.2.3' }],
    },
  };
  // Many small members, as real ones have: a parser's work and garbage are in their number.
  const missing = () => bytes - JSON.stringify(pod).length;
  for (let i = 0; missing() > 200; i += 1) {
    if (i % 2 === 0)
      pod.spec.containers[0]?.env.push({ name: `SETTING_${i}`, value: `value ${i} of ${name}` });
    else
      pod.metadata.managedFields.push({
        manager: 'kubelet',
        operation: 'Update',
        time: now,
        fieldsV1: { [`f:field-${i}`]: {} },
      });
  }
  return pod;
}

/** An address of each node's own, in 198.18.0.0/15, which belongs to nobody but benchmarks (RFC 2544). */
export function hostAddress(node: string): string {
  const number = Number(/\d+$/.exec(node)?.[0] ?? 0);
  return `198.18.${number >> 8}.${number & 255}`;
}

/** The `index`th of 4 million addresses of this machine (Linux has all of 127.0.0.0/8) that pods can have. */
export function podAddress(index: number): string {
  return `127.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}
