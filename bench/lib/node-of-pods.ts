import { type PodSpec, podAddress } from '../cloud/pod-object.ts';
import { type Cloud, startCloud } from '../cloud/start-cloud.ts';
import { type AgentProcess, type ServerProcess, startAgent, startServer } from './podpass.ts';
import type { RowContext } from './row.ts';
import { untilCredentials } from './until-credentials.ts';

export interface NodeOfPods {
  readonly cloud: Cloud;
  readonly server: ServerProcess;
  readonly agent: AgentProcess;
  readonly role: string;
}

/** As many pods as kubelet lets a node have. */
export const podsOfANode = 110;

/** The role of the pod that load generators are: whoever connects from 127.0.0.1. */
export const loadRole = 'role-0';

/** The pods of `node-0`, each with an identity of its own. */
export const podsOfNode: readonly PodSpec[] = Array.from({ length: podsOfANode }, (_, i) => ({
  name: `pod-${i}`,
  node: 'node-0',
  address: i === 0 ? '127.0.0.1' : podAddress(i),
  role: `role-${i}`,
  bytes: 5_000,
}));

/** Cluster, server and the agent of one full node, each pod with its credentials there. */
export async function startNodeOfPods({
  onEnd,
  flame,
}: Pick<RowContext, 'onEnd' | 'flame'>): Promise<NodeOfPods> {
  const profiled = flame !== undefined;
  const cloud = await startCloud();
  onEnd(cloud.stop);
  await cloud.call('createPods', podsOfNode);
  const server = await startServer(cloud, { profiled });
  onEnd(server.stop);
  const agent = await startAgent(cloud, { node: 'node-0', servers: [server], profiled });
  onEnd(agent.stop);
  await untilAllServed(agent.port);
  return { cloud, server, agent, role: loadRole };
}

/** @throws Error naming a pod that gets no credentials */
export async function untilAllServed(port: number): Promise<void> {
  for (const pod of podsOfNode) await untilCredentials(port, pod);
}
