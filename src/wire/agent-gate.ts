import { type Metadata, status } from '@grpc/grpc-js';
import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import type { CallerNodes } from '../broker/caller-nodes.ts';
import type { NodeSelector } from '../broker/node-feed.ts';
import { canonicalAddress } from '../identity/address.ts';
import type { AgentTokens, ProvenByToken, TokenProof } from './agent-tokens.ts';
import { readBearer } from './bearer-token.ts';
import { type AgentProof, type GateReports, mountToken, noProof } from './gate-reports.ts';

/** What the gate looks at of a call. */
export interface AgentCall {
  getPeer(): string;
  readonly metadata: Metadata;
}

/** A call that goes no further: a status as grpc-js takes it. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: status;
  readonly details: string;
}

/** Who calls. */
export type Agent =
  | {
      readonly kind: 'node';
      readonly nodeName: string;
      readonly address: string;
      readonly token?: ProvenByToken;
    }
  /** It has a certificate, and that is all. */
  | { readonly kind: 'unproven'; readonly address: string };

/** The node whose pods a call is about, where that can be told. Asked only when there is something to say of it. */
export type AskedNode = () => string | undefined;

/** The node whose pods a call may have. */
export type Narrowed = { readonly kind: 'allowed'; readonly node: NodeSelector } | Refusal;

export interface AgentGateOptions {
  /** kiam's `off` needs no gate. */
  readonly scope: 'auto' | 'enforce';
  readonly tokens: AgentTokens;
  readonly nodeAt: CallerNodes;
  /** The node that an agent means by its address. */
  readonly nodeOf: (hostIp: string) => string | undefined;
  readonly reports: GateReports;
  readonly clock: Clock;
  /** Resolves when the whole cluster has been seen once: until then an address that is not known says nothing. */
  readonly whenSynced: Promise<void>;
}

/** How long a caller is held until the cluster is known: a little less than an agent waits for its stream. Milliseconds. */
const syncMillis = 2_500;

/**
 * Decides which node a calling agent is on, and so whose pods it may have. Everything that carries credentials goes
 * through here, whichever of the two services it was asked of.
 *
 * Proofs, strongest first: the token of the agent's pod; an address that belongs to one node; the certificate alone,
 * without which nobody gets this far. A token that is refused is not made up for by an address: whoever sends a token
 * should hear what is wrong with it. One that nobody could review is as good as none, and so no worse.
 */
export interface AgentGate {
  /** At once, unless the API server has to be asked about a token. Counts refusals. Never rejects. */
  admit(call: AgentCall, asked: AskedNode): Agent | Refusal | Promise<Agent | Refusal>;
  /** The node that is asked for, as far as it is known. */
  askedBy(node: NodeSelector): string | undefined;
  /** What becomes of a call for a node's pods. Counts it. */
  narrow(agent: Agent, node: NodeSelector): Narrowed;
  /** Counts a call that was answered. */
  served(agent: Agent, asked: AskedNode): void;
  /** Counts a call for a pod that lives on another node than the agent. */
  missed(agent: Agent, asked: string): void;
  /** Whether what the agent showed still holds: for calls that last. */
  holds(agent: Agent): boolean;
}

export function createAgentGate(options: AgentGateOptions): AgentGate {
  const { scope, tokens, nodeAt, nodeOf, reports, clock, whenSynced } = options;
  let isSynced = false;
  void whenSynced.then(() => {
    isSynced = true;
  });

  function refuse(
    proof: AgentProof,
    address: string,
    nodeName: string | undefined,
    code: status,
    details: string,
  ): Refusal {
    reports.refused(proof, { address, nodeName }, details);
    return { kind: 'refused', code, details };
  }

  function byAddress(address: string, asked: AskedNode): Agent | Refusal | Promise<Agent | Refusal> {
    const nodeName = nodeAt(address);
    if (nodeName !== undefined) return { kind: 'node', nodeName, address };
    return isSynced ? withoutProof(address, asked) : onceSynced(address, asked);
  }

  async function onceSynced(address: string, asked: AskedNode): Promise<Agent | Refusal> {
    await bounded(clock, syncMillis, new AbortController().signal, () => whenSynced);
    if (isSynced) return byAddress(address, asked);
    const details = 'this server has not seen the whole cluster yet: try again, or another server';
    return { kind: 'refused', code: status.UNAVAILABLE, details };
  }

  function withoutProof(address: string, asked: AskedNode): Agent | Refusal {
    if (scope === 'auto') return { kind: 'unproven', address };
    const details =
      `an agent at ${address} was refused, because it does not show which node it is on: ${noProof} ${mountToken} ` +
      'A server with --agent-scope=auto serves such agents.';
    return refuse('certificate', address, asked(), status.PERMISSION_DENIED, details);
  }

  function byToken(
    proof: TokenProof,
    address: string,
    asked: AskedNode,
  ): Agent | Refusal | Promise<Agent | Refusal> {
    switch (proof.kind) {
      case 'proven':
        return { kind: 'node', nodeName: proof.nodeName, address, token: proof };
      case 'refused': {
        const details =
          `the token of an agent at ${address} was refused: ${proof.message}. ` +
          'Its volume, audience and service account should be as in deploy/manifests/agent.yaml.';
        return refuse('token', address, asked(), status.UNAUTHENTICATED, details);
      }
      case 'unready':
        return { kind: 'refused', code: status.UNAVAILABLE, details: proof.message };
      case 'unreviewed':
        return byAddress(address, asked);
    }
  }

  function refuseOther(agent: Agent & { kind: 'node' }, asked: string): Refusal {
    const { nodeName, address, token } = agent;
    const details =
      `an agent that is on node ${nodeName} by its ${token ? 'token' : `address ${address}`} asked for the pods of node ` +
      `${asked.slice(0, 253).toWellFormed()}. Agents are given the pods of their own node only. ` +
      'If it is on that node (its calls come through NAT or a load balancer), give it a token ' +
      '(docs/security-model.md), or run the server with --agent-scope=off.';
    return refuse(proofOf(agent), address, asked, status.PERMISSION_DENIED, details);
  }

  const askedBy = ({ nodeName, hostIp = '' }: NodeSelector) => nodeName ?? nodeOf(hostIp);

  function served(agent: Agent, asked: AskedNode): void {
    reports.served(proofOf(agent));
    if (agent.kind === 'unproven') reports.unproven(agent.address, asked);
  }

  return {
    admit(call, asked) {
      const address = addressOf(call.getPeer());
      const bearer = readBearer(call.metadata);
      switch (bearer.kind) {
        case 'none':
          return byAddress(address, asked);
        case 'token': {
          const proof = tokens.check(bearer.token);
          if (proof instanceof Promise) return proof.then((late) => byToken(late, address, asked));
          return byToken(proof, address, asked);
        }
        case 'malformed': {
          const details = `the authorization that an agent at ${address} sent is not one bearer token`;
          return refuse('token', address, asked(), status.UNAUTHENTICATED, details);
        }
      }
    },
    askedBy,
    narrow(agent, node) {
      const named = askedBy(node);
      if (agent.kind === 'unproven') {
        served(agent, () => named);
        return { kind: 'allowed', node };
      }
      if (named !== undefined && named !== agent.nodeName) return refuseOther(agent, named);
      served(agent, () => named);
      return { kind: 'allowed', node: { nodeName: agent.nodeName } };
    },
    served,
    missed(agent, asked) {
      if (agent.kind === 'node') refuseOther(agent, asked);
    },
    holds(agent) {
      // Who can show more by now is asked to.
      if (agent.kind === 'unproven') return nodeAt(agent.address) === undefined;
      return agent.token ? tokens.holds(agent.token) : nodeAt(agent.address) === agent.nodeName;
    },
  };
}

function proofOf(agent: Agent): AgentProof {
  if (agent.kind === 'unproven') return 'certificate';
  return agent.token ? 'token' : 'address';
}

/** Of `10.0.0.1:4567`, `::ffff:10.0.0.1:4567` or `fd00::1:4567`: the port is always there, and never in brackets. */
function addressOf(peer: string): string {
  const host = peer.slice(0, peer.lastIndexOf(':'));
  return canonicalAddress(host) ?? 'an unknown address';
}
