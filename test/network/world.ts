import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Scope, stopWith } from '../parts/scope.ts';
import type { ControlCommands } from './control-worker.ts';
import type { MetadataCommands } from './metadata-worker.ts';
import type { PodCommands } from './pod-worker.ts';
import { createTopology, type PodNetwork, type Topology, type TopologyOptions } from './topology.ts';
import { startWiretap, type Wiretap } from './wiretap.ts';
import { startWorker, type Worker } from './worker.ts';

/** A pod of the node, the role it is annotated with, and a process in it. */
export interface NodePod {
  readonly worker: Worker<PodCommands>;
  readonly name: string;
  readonly role: string;
  readonly network: PodNetwork;
}

/** A node with pods, a cluster API and an STS, on which nothing of podpass runs yet. */
export interface World {
  readonly topology: Topology;
  readonly pods: readonly NodePod[];
  /** A process of the node itself, as a pod on the host's network is. */
  readonly host: Worker<PodCommands>;
  readonly control: Worker<ControlCommands>;
  /** EC2's own metadata. */
  readonly ec2: Worker<MetadataCommands>;
  readonly wiretap: Wiretap;
  /** Where podpass finds the cluster API and the STS, and what it is allowed in with. */
  readonly access: Awaited<ReturnType<ControlCommands['start']>>;
  /** Goes with the scope. */
  readonly folder: string;
}

export interface WorldOptions extends TopologyOptions {
  /** Further roles that there are. */
  readonly roles?: readonly string[];
}

export const nodeName = 'node-1';

const script = (name: string) => join(import.meta.dirname, name);

export async function startWorld(scope: Scope, options: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'podpass-network-'));
  stopWith(scope, () => rm(folder, { recursive: true, force: true }));
  const topology = createTopology(scope, options);
  const wiretap = startWiretap(topology.ec2);
  const ec2 = startWorker<MetadataCommands>(scope, topology.ec2, script('metadata-worker.ts'));
  const host = startWorker<PodCommands>(scope, topology.node, script('pod-worker.ts'));
  const control = startWorker<ControlCommands>(scope, topology.node, script('control-worker.ts'));
  const pods = topology.pods.map((network, index): NodePod => {
    const worker = startWorker<PodCommands>(scope, network.namespace, script('pod-worker.ts'));
    return { worker, name: `pod-${index}`, role: `role-of-pod-${index}`, network };
  });
  await ec2.listen();

  const roles = [...pods.map(({ role }) => role), ...(options.roles ?? [])];
  const access = await control.start(folder, roles);
  for (const { name, role, network } of pods) {
    await control.createPod({ name, role, nodeName, podIP: network.ipv4, morePodIPs: [network.ipv6] });
  }
  return { topology, pods, host, control, ec2, wiretap, access, folder };
}
