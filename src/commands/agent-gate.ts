import type { Clock } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { createCallerNodes } from '../broker/caller-nodes.ts';
import type { NodeAddresses } from '../broker/node-addresses.ts';
import { createNodeRanges, type NodeRanges } from '../broker/node-ranges.ts';
import type { PodTable } from '../broker/pod-table.ts';
import type { ClusterConnection } from '../cluster/connection.ts';
import type { EventRecorder } from '../cluster/event-recorder.ts';
import type { Pod } from '../cluster/objects.ts';
import { watchPermittedNodes } from '../cluster/permitted-nodes.ts';
import { createTokenReviewer } from '../cluster/token-review.ts';
import type { Watch } from '../cluster/watch.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type AgentGate, createAgentGate } from '../wire/agent-gate.ts';
import { createAgentTokens } from '../wire/agent-tokens.ts';
import { createGateReports } from '../wire/gate-reports.ts';

export interface StartAgentGateOptions {
  readonly agentScope: 'auto' | 'enforce' | 'off';
  readonly agentServiceAccount: readonly string[];
  readonly connection: ClusterConnection;
  readonly pods: Watch<Pod>;
  readonly table: PodTable;
  readonly nodeAddresses: NodeAddresses;
  readonly events: EventRecorder;
  /** Resolves when the whole cluster has been seen once. */
  readonly whenSynced: Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

/** Whom tokens of agents are made for. */
const audience = 'podpass';
/** Less than an agent waits for its stream. */
const reviewMillis = 2_000;

/**
 * Wires up who an agent is. `ended` resolves when nothing of it runs any more, after the signal.
 *
 * @throws PodpassError ERR_USAGE
 */
export function startAgentGate(options: StartAgentGateOptions): {
  /** None with `off`. */
  readonly gate: AgentGate | undefined;
  readonly ended: Promise<void>;
} {
  const { agentScope, agentServiceAccount, connection, pods, table, nodeAddresses, events } = options;
  const { whenSynced, clock, random, logger, metrics, signal } = options;
  checkServiceAccounts(agentServiceAccount);
  if (agentScope === 'off') return { gate: undefined, ended: Promise.resolve() };

  let ranges: NodeRanges | undefined;
  const ended = watchPermittedNodes(
    {
      connection,
      clock,
      random,
      logger,
      metrics,
      onWatch(nodes) {
        nodeAddresses.addNodes(nodes);
        ranges = createNodeRanges({ nodes, table, clock });
      },
    },
    signal,
  );
  const gate = createAgentGate({
    scope: agentScope,
    tokens: createAgentTokens({
      reviewer: createTokenReviewer({ connection, audiences: [audience], timeoutMillis: reviewMillis }),
      pods,
      serviceAccounts: agentServiceAccount,
      clock,
      logger,
      signal,
    }),
    nodeAt: createCallerNodes({ table, nodeAddresses, ranges: () => ranges }),
    nodeOf: nodeAddresses.nodeOf,
    clock,
    whenSynced,
    reports: createGateReports({
      clock,
      logger,
      metrics,
      isNode: nodeAddresses.has,
      record: ({ nodeName, reason, message }) =>
        events.record({
          // kubelet's own events carry the name as UID, and `kubectl describe node` looks for that.
          object: { kind: 'Node', apiVersion: 'v1', namespace: '', name: nodeName, uid: nodeName },
          type: 'Warning',
          reason,
          message,
        }),
    }),
  });
  return { gate, ended };
}

/** @throws PodpassError ERR_USAGE */
function checkServiceAccounts(accounts: readonly string[]): void {
  const name = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
  for (const account of accounts) {
    const parts = account.split('/');
    if (parts.length === 2 && parts.every((part) => name.test(part))) continue;
    throw new PodpassError(
      'ERR_USAGE',
      `--agent-service-account ${account} is not NAMESPACE/NAME, such as kube-system/podpass-agent.`,
    );
  }
}
