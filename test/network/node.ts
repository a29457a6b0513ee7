import { region, roleBaseArn } from '../end-to-end/small-aws.ts';
import type { Scope } from '../parts/scope.ts';
import { type NamespacedPodpass, startPodpassIn } from './podpass-in-namespace.ts';
import type { Topology } from './topology.ts';
import { nodeName, startWorld, type World, type WorldOptions } from './world.ts';

/** A node in a small world of its own, with a podpass server; agents are for the test to start. */
export interface Node extends World {
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
const serverPort = 9610;

export async function startNode(scope: Scope, options: WorldOptions = {}): Promise<Node> {
  const world = await startWorld(scope, options);
  const { topology, access, host: neighbour } = world;
  const server = startPodpassIn(scope, {
    namespace: topology.node,
    command: 'server',
    flags: [
      ...access.serverTls,
      `--bind=127.0.0.1:${serverPort}`,
      `--kubeconfig=${access.kubeconfig}`,
      `--role-base-arn=${roleBaseArn}`,
      `--sts-endpoint=${access.stsUrl}`,
      `--region=${region}`,
    ],
    env: access.serverEnv,
    telemetryPort: 9620,
    neighbour,
  });
  await server.untilReady();

  let agents = 0;
  return {
    ...world,
    server,
    async startAgent({ rule = ownRule(topology), flags = [], early = false, ...at } = {}) {
      agents += 1;
      const agent = startPodpassIn(scope, {
        namespace: topology.node,
        command: 'agent',
        flags: [
          ...access.agentTls,
          `--port=${at.port ?? agentPort}`,
          `--node-name=${nodeName}`,
          `--server-address=${at.server ?? `localhost:${serverPort}`}`,
          ...rule,
          ...flags,
        ],
        telemetryPort: 9620 + agents,
        neighbour,
      });
      if (!early) await agent.untilReady();
      return agent;
    },
  };
}

function ownRule({ hostInterface, nodeIpv4, nodeIpv6 }: Topology): readonly string[] {
  return ['--iptables', `--host-interface=${hostInterface}`, `--host=${nodeIpv4},${nodeIpv6}`];
}
