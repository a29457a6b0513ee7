import type { Clock } from '../base/clock.ts';
import { createLruMap } from '../cluster/lru-map.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** How an agent showed which node it is on. `certificate`: not at all. */
export type AgentProof = 'token' | 'address' | 'certificate';

/** Something about an agent, for whoever runs `kubectl describe node`. */
export interface NodeEvent {
  readonly nodeName: string;
  readonly reason: 'PodpassAgentUnproven' | 'PodpassAgentRefused';
  readonly message: string;
}

export interface GateReportsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly record: (event: NodeEvent) => void;
  /** Whether there is such a node: an agent may name any, and no event is written on a name that it made up. */
  readonly isNode: (nodeName: string) => boolean;
}

/** Whom a call came from, and whose pods it asked for, as far as that is known. */
export interface Asked {
  readonly address: string;
  readonly nodeName: string | undefined;
}

/** Counts the calls of agents, and tells of those that somebody should look at: once an hour for each. */
export interface GateReports {
  served(proof: AgentProof): void;
  /** An agent was served that could not show its node. `asked` is only looked up when it is told. */
  unproven(address: string, asked: () => string | undefined): void;
  refused(proof: AgentProof, asked: Asked, message: string): void;
}

const everyMillis = 3_600_000;
const maxRemembered = 1_024;

const proofs: readonly AgentProof[] = ['token', 'address', 'certificate'];

export function createGateReports(options: GateReportsOptions): GateReports {
  const { clock, logger, metrics, record, isNode } = options;
  const told = createLruMap<string, number>(maxRemembered);
  /** Plain numbers, added to the metric when it is read: these are counted on the hot path. */
  const served = { token: 0, address: 0, certificate: 0 };

  metrics.beforeScrape(() => {
    for (const proof of proofs) {
      metrics.agentCalls.inc({ proof, outcome: 'served' }, served[proof]);
      served[proof] = 0;
    }
  });

  function isDue(key: string): boolean {
    const now = clock.monotonic();
    const last = told.get(key);
    if (last !== undefined && now - last < everyMillis) return false;
    told.set(key, now);
    return true;
  }

  /** A name that an agent made up is none: neither is there an event on it, nor does each new one make a new line. */
  function realNode(nodeName: string | undefined): string | undefined {
    return nodeName !== undefined && isNode(nodeName) ? nodeName : undefined;
  }

  function tell(
    reason: NodeEvent['reason'],
    address: string,
    node: string | undefined,
    message: string,
  ): void {
    logger.warn({ address, ...(node !== undefined && { node }), reason }, message);
    if (node !== undefined) record({ nodeName: node, reason, message });
  }

  return {
    served(proof) {
      served[proof] += 1;
    },
    unproven(address, asked) {
      if (!isDue(`unproven ${address}`)) return;
      tell(
        'PodpassAgentUnproven',
        address,
        realNode(asked()),
        `an agent at ${address} was served by its certificate alone, which lets it ask for the pods of every node: ` +
          `${noProof} ${mountToken}`,
      );
    },
    refused(proof, { address, nodeName }, message) {
      metrics.agentCalls.inc({ proof, outcome: 'refused' });
      const node = realNode(nodeName);
      if (isDue(`refused ${address} ${node ?? ''}`)) tell('PodpassAgentRefused', address, node, message);
    },
  };
}

export const noProof = 'it sent no token that could be reviewed, and its address belongs to no one node.';
export const mountToken =
  'Mount a service account token for the audience podpass into the agents, as deploy/manifests/agent.yaml does. ' +
  "kiam's agents have none: let the server read nodes (deploy/manifests/rbac.yaml), so that it knows more of their addresses.";
