import { type PodSpec, podAddress } from '../../cloud/pod-object.ts';

export interface Spread {
  readonly from: number;
  readonly count: number;
  readonly nodes: number;
  readonly identities: number;
}

/** Ordinary pods of 5 kB, spread evenly over nodes and identities. */
export function spreadPods({ from, count, nodes, identities }: Spread): PodSpec[] {
  return Array.from({ length: count }, (_, offset) => {
    const i = from + offset;
    return {
      name: `service-${i % 400}-6d4cf56db6-${i}`,
      node: `node-${i % nodes}`,
      address: podAddress(i),
      role: `team-role-${i % identities}`,
      bytes: 5_000,
    };
  });
}
