import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { region, roleBaseArn } from '../end-to-end/small-aws.ts';
import type { Scope } from '../parts/scope.ts';
import { stopWith } from '../parts/scope.ts';
import type { ControlCommands } from './control-worker.ts';
import type { MetadataCommands } from './metadata-worker.ts';
import type { PodCommands } from './pod-worker.ts';
import { type NamespacedPodpass, startPodpassIn } from './podpass-in-namespace.ts';
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

/** A node in a small world of its own: pods, a cluster API, an STS, a podpass server; agents are for the test to start. */
export interface Node {
  readonly topology: Topology;
  readonly pods: readonly NodePod[];
  /** A process of the node itself, as a pod on the host's network is. */
  readonly host: Worker<PodCommands>;
  readonly control: Worker<ControlCommands>;
  /** EC2's own metadata. */
  readonly ec2: Worker<MetadataCommands>;
  readonly wiretap: Wiretap;
  readonly server: NamespacedPodpass;
  /** Resolves when it is ready. */
  startAgent(options?: AgentOptions): Promise<NamespacedPodpass>;
}

export interface AgentOptions {
  /** The flags of the rule. Default: the agent installs it for the topology's interfaces. */
  readonly rule?: readonly string[];
  readonly flags?: readonly string[];
  /** Of the metadata door. Default `agentPort`. */
  readonly port?: number;
  /** Where its server is said to be. Default: where it is. */
  readonly server?: string;
  /** Resolve as soon as the process has been started. Default false. */
  readonly early?: boolean;
}

export const agentPort = 8181;
export const nodeName = 'node-1';
const serverPort = 9610;

export interface NodeOptions extends TopologyOptions {
  /** Further roles that there are. */
  readonly roles?: readonly string[];
}

const script = (name: string) => join(import.meta.dirname, name);

export async function startNode(scope: Scope, options: NodeOptions = {}): Promise<Node> {
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
  const world = await control.start(folder, roles);
  for (const { name, role, network } of pods) {
    await control.createPod({ name, role, nodeName, podIP: network.ipv4, morePodIPs: [network.ipv6] });
  }
  const server = startPodpassIn(scope, {
    namespace: topology.node,
    command: 'server',
    flags: [
      ...world.serverTls,
      `--bind=127.0.0.1:${serverPort}`,
      `--kubeconfig=${world.kubeconfig}`,
      `--role-base-arn=${roleBaseArn}`,
      `--sts-endpoint=${world.stsUrl}`,
      `--region=${region}`,
    ],
    env: world.serverEnv,
    telemetryPort: 9620,
    neighbour: host,
  });
  await server.untilReady();

  let agents = 0;
  return {
    topology,
    pods,
    host,
    control,
    ec2,
    wiretap,
    server,
    async startAgent({ rule = ownRule(topology), flags = [], early = false, ...at } = {}) {
      agents += 1;
      const agent = startPodpassIn(scope, {
        namespace: topology.node,
        command: 'agent',
        flags: [
          ...world.agentTls,
          `--port=${at.port ?? agentPort}`,
          `--node-name=${nodeName}`,
          `--server-address=${at.server ?? `localhost:${serverPort}`}`,
          ...rule,
          ...flags,
        ],
        telemetryPort: 9620 + agents,
        neighbour: host,
      });
      if (!early) await agent.untilReady();
      return agent;
    },
  };
}

function ownRule({ hostInterface, nodeIpv4, nodeIpv6 }: Topology): readonly string[] {
  return ['--iptables', `--host-interface=${hostInterface}`, `--host=${nodeIpv4},${nodeIpv6}`];
}
