import type { Credentials, SessionState, StsProblem } from '../credentials/session.ts';
import type { BoundRole, Decision } from '../roles/decision.ts';

/** All that is known of one live pod: what the server decides, the wire carries and the agent holds. */
export interface PodView {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly nodeName: string;
  /** The addresses it owns, canonical. None for a host-network or finished pod, or before it has one. */
  readonly addresses: readonly string[];
  readonly decision: Decision;
  /** What became of the session that the decision grants; `pending` where none is granted. */
  readonly session: SessionState;
}

/** The pod that asked, as messages name it. */
export interface Caller {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * The answer to a question for credentials, whichever door it came through. The doors render it; they decide nothing.
 */
export type Answer =
  | {
      readonly kind: 'credentials';
      readonly caller: Caller;
      readonly role: BoundRole;
      readonly credentials: Credentials;
    }
  /** The session is being fetched. */
  | { readonly kind: 'pending'; readonly caller: Caller; readonly role: BoundRole }
  | { readonly kind: 'no-role'; readonly caller: Caller }
  /** Policy forbids the role, or an annotation is invalid. */
  | {
      readonly kind: 'forbidden';
      readonly caller: Caller;
      readonly decision: Decision & { kind: 'forbidden' | 'invalid' };
    }
  /** STS refuses for good. */
  | {
      readonly kind: 'refused';
      readonly caller: Caller;
      readonly role: BoundRole;
      readonly problem: StsProblem;
    }
  /** STS is busy or away, and nothing valid is left. */
  | {
      readonly kind: 'unavailable';
      readonly caller: Caller;
      readonly role: BoundRole;
      readonly problem: StsProblem;
    }
  /** The pod is known; what decides about it is not yet. */
  | { readonly kind: 'undecided'; readonly caller: Caller }
  /** No live pod owns the address, as far as is known yet. */
  | { readonly kind: 'unknown'; readonly address: string }
  /** More than one live pod claims the address: nobody gets anything. */
  | { readonly kind: 'ambiguous'; readonly address: string; readonly claimants: readonly Caller[] };

export interface PatientOptions {
  /** Wait at most this many milliseconds for an answer that is not `unknown`, `undecided` or `pending`. */
  readonly waitMillis: number;
  readonly signal: AbortSignal;
  /** `role`: a `pending` answer will do, because it names the role. Default: `credentials`. */
  readonly for?: 'role' | 'credentials';
}

/**
 * What the doors see. The same interface stands for the whole broker (server, standalone) and for the half of it
 * that an agent holds.
 */
export interface Broker {
  /**
   * Answers from memory, at once. `address` is the caller's, in any spelling.
   *
   * Whatever a door waited for, the answer it writes is one it asked for in the same turn of the event loop: that is
   * the fence against an address that changed its owner in the meantime.
   */
  ask(address: string): Answer;
  /** The same, after waiting for what is not known yet. Rejects only when the signal aborts. */
  askPatiently(address: string, options: PatientOptions): Promise<Answer>;
}
