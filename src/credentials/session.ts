/**
 * Everything that makes one session different from another, and therefore the key of the cache. Two pods with equal
 * identities share one set of credentials and one call of STS.
 */
export interface SessionIdentity {
  readonly roleArn: string;
  readonly sessionName: string;
  /** A secret: never written anywhere. */
  readonly externalId?: string;
}

/** Temporary credentials, as STS issued them. Times are milliseconds since the Unix epoch. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: number;
  /** When they were issued, by our clock. */
  readonly issuedAt: number;
  /**
   * Monotonic time of this process at which they are over at the latest, counted from when STS was called. A clock that
   * is set does not move it.
   */
  readonly goodUntil: number;
}

/** What one call of STS came to. */
export type AssumeRoleOutcome =
  | { readonly kind: 'issued'; readonly credentials: Credentials }
  /** STS said no for good: the trust policy, a role that does not exist, a malformed request. */
  | ({ readonly kind: 'refused' } & StsProblem)
  /** STS is busy; it says so with HTTP 400. Try again later. */
  | ({ readonly kind: 'throttled' } & StsProblem)
  /** STS is away, or our own credentials for calling it are. Try again later. */
  | ({ readonly kind: 'unavailable' } & StsProblem);

/** STS's own words, without the request id (so that equal problems look equal). */
export interface StsProblem {
  /** `AccessDenied`, `Throttling`, or a code of ours for what never reached STS: `RequestTimeout`, `NetworkError`. */
  readonly code: string;
  readonly message: string;
}

/** Calls STS. The signal is that of shutdown or of the call's own bound, never that of a waiting request. */
export interface StsBackend {
  assumeRole(identity: SessionIdentity, signal: AbortSignal): Promise<AssumeRoleOutcome>;
}

/**
 * What is known of a session.
 *
 * `issued` may carry a `problem`: the last refresh failed and the credentials before it are still good.
 * `refused` is remembered and retried with back-off.
 */
export type SessionState =
  | { readonly kind: 'pending' }
  | { readonly kind: 'issued'; readonly credentials: Credentials; readonly problem?: StsProblem }
  | ({ readonly kind: 'refused' } & StsProblem)
  | ({ readonly kind: 'unavailable' } & StsProblem);

/** A claim on a session: while anybody holds one it is kept fresh, and when nobody does it is forgotten. */
export interface SessionLease {
  readonly state: SessionState;
  release(): void;
}

/** The sessions of one process. */
export interface SessionCache {
  /**
   * Claims a session, fetching it at once if nobody had. `onChange` is called after each later change of its state,
   * never before `acquire` has returned.
   */
  acquire(identity: SessionIdentity, onChange: (state: SessionState) => void): SessionLease;
  /** Stops refreshing and cancels the calls under way. */
  close(): void;
}
