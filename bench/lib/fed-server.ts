import type { Cloud } from '../cloud/start-cloud.ts';
import type { NodeAgentsInput } from '../programs/node-agents.ts';
import { type ServerOptions, type ServerProcess, startServer } from './podpass.ts';
import { type MemoryFacts, memoryOf } from './process-facts.ts';
import { type Program, startProgram } from './program.ts';
import type { RowContext } from './row.ts';

export interface FedServer {
  readonly process: ServerProcess;
  /** Memory of the server once it had listed the pods, before any agent. */
  readonly listed: MemoryFacts;
  /** The agents of all nodes, in one process. */
  readonly agents: Program;
  /** Waits until so many pods have credentials at their agents. */
  untilServed(pods: number): Promise<void>;
}

/** A server that has listed the pods, and then feeds the agents of nodes `node-0` and on. */
export async function startFedServer(
  cloud: Cloud,
  { nodes, onEnd, ...options }: ServerOptions & Pick<RowContext, 'onEnd'> & { readonly nodes: number },
): Promise<FedServer> {
  const process = await startServer(cloud, options);
  onEnd(process.stop);
  const listed = memoryOf(process.pid);
  const agents = await startNodeAgents(cloud, [process], nodes);
  onEnd(agents.stop);
  return { process, listed, agents, untilServed: (pods) => untilServed(agents, pods) };
}

/** The agents of nodes `node-0` and on, each with a connection of its own, in one process. */
export function startNodeAgents(
  { agentTls }: Cloud,
  servers: readonly ServerProcess[],
  nodes: number,
): Promise<Program> {
  const input: NodeAgentsInput = {
    tls: agentTls,
    grpcPorts: servers.map(({ grpcPort }) => grpcPort),
    nodes: Array.from({ length: nodes }, (_, i) => `node-${i}`),
  };
  return startProgram('node-agents', input, []);
}

export interface NodeAgentsReport {
  /** Agents that have got the whole state of their node. */
  readonly synced: number;
  /** Pods whose credentials have arrived. */
  readonly served: number;
}

const longestWait = 180_000;

export function untilServed(agents: Program, pods: number): Promise<void> {
  return until(agents, ({ served }) => served >= pods, `${pods} pods with credentials`);
}

export function untilSynced(agents: Program, nodes: number): Promise<void> {
  return until(agents, ({ synced }) => synced >= nodes, `${nodes} agents with their nodes' pods`);
}

async function until(
  agents: Program,
  isEnough: (report: NodeAgentsReport) => boolean,
  what: string,
): Promise<void> {
  const began = performance.now();
  let report = await agents.latest<NodeAgentsReport>();
  while (!isEnough(report)) {
    if (performance.now() - began > longestWait)
      throw new Error(`waited ${longestWait / 1_000} s for ${what}, and there are ${JSON.stringify(report)}`);
    report = await agents.next<NodeAgentsReport>();
  }
}
