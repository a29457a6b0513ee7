/** Milliseconds of one monotonic clock. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * What happened in a run, as whoever caused it saw it. Nothing of it comes from the processes that are judged, but for
 * what they answered.
 */
export type HistoryEvent =
  /** A pod has this address and may have this role. `during`: from the request to the API until its answer. */
  | {
      readonly kind: 'pod';
      readonly during: Span;
      readonly door: string;
      readonly address: string;
      readonly uid: string;
      readonly role: string;
    }
  | { readonly kind: 'gone'; readonly during: Span; readonly address: string; readonly uid: string }
  /** STS gave credentials away, or meant to: their receiver may have been dead. */
  | { readonly kind: 'issued'; readonly role: string; readonly accessKeyId: string }
  /** A pod asked. `tries`: connections, where one that was refused or cut off is tried once more. */
  | ({ readonly kind: 'request' } & PodRequest)
  /** A process was killed or stopped, until it was ready again. */
  | { readonly kind: 'fault'; readonly process: string; readonly during: Span }
  /** A process ended that nobody had killed. */
  | { readonly kind: 'died'; readonly process: string; readonly how: string };

export interface PodRequest {
  readonly door: string;
  readonly address: string;
  readonly during: Span;
  readonly tries: number;
  /** 0: no answer. */
  readonly status: number;
  readonly accessKeyId?: string;
  /** What was said instead, for a person. */
  readonly body?: string;
}

/** What pods ask: an agent, or a standalone node. */
export interface DoorFacts {
  readonly name: string;
  /** It has nobody to tell it again what it knew: after a restart its pods wait for the API and STS. */
  readonly forgets: boolean;
  /** The processes that call STS for its pods. */
  readonly issuers: readonly string[];
}

export type Violation = {
  /**
   * `stranger`: credentials of another pod's role. `unknown`: of nobody. `lost`: a request that had to be answered was
   * not. `late`: a pod was still without credentials when all had been well for long. `calls`: more calls of STS than
   * identities, refreshes and restarts account for. `died`: a process ended by itself.
   */
  readonly rule: 'stranger' | 'unknown' | 'lost' | 'late' | 'calls' | 'died';
  readonly text: string;
};
