/**
 * What happened in one run, as somebody would write it down who stands beside the cluster and knows nothing of podpass.
 * Times are milliseconds since the run began.
 */
export interface History {
  /** By UID, in the order of time. */
  readonly pods: ReadonlyMap<string, readonly Version<PodFact>[]>;
  /** By name. */
  readonly namespaces: ReadonlyMap<string, readonly Version<NamespaceFact>[]>;
  readonly requests: readonly RequestFact[];
  readonly calls: readonly CallFact[];
  readonly faults: readonly FaultFact[];
  /** What agents that asked for another node's pods were given. */
  readonly leaks: readonly LeakFact[];
  readonly news: NewsOf;
  /** When processes were killed. */
  readonly ends: ReadonlyMap<string, number>;
  readonly settings: CheckSettings;
}

/** The state of an object from `at` on; without a value it is gone. */
export interface Version<T> {
  readonly at: number;
  readonly version: number;
  readonly value: T | undefined;
}

export interface PodFact {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly addresses: readonly string[];
  readonly hostNetwork: boolean;
  readonly isFinished: boolean;
  /** A role of the account by its name. */
  readonly role: string | undefined;
  readonly sessionName: string | undefined;
  readonly externalId: string | undefined;
}

export interface NamespaceFact {
  /** kiam's expression over role ARNs. */
  readonly permitted: string | undefined;
}

export interface RequestFact {
  readonly number: number;
  /** Of what answered, or was to: the process, and its place. */
  readonly process: string;
  readonly node: string;
  readonly address: string;
  /** The pod that really sent it; undefined for a process of the node. */
  readonly sender: string | undefined;
  readonly ask: Ask;
  readonly from: number;
  /** Without these the process went away before it answered. */
  readonly to?: number;
  readonly status?: number;
  readonly body?: string;
}

export type Ask =
  | { readonly kind: 'token' }
  | { readonly kind: 'list'; readonly token?: TokenUse }
  | { readonly kind: 'credentials'; readonly role: string; readonly token?: TokenUse };

/** A session token that was sent: to whom and when it was issued, and until when, in milliseconds of the run. */
export interface TokenUse {
  readonly issuedTo: string;
  /** Where it was asked for: podpass may have taken the sender for the owner of that before. */
  readonly address: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** A call of STS. */
export interface CallFact {
  readonly process: string;
  readonly roleArn: string;
  readonly sessionName: string;
  readonly externalId: string | undefined;
  readonly accessKeyId: string;
  readonly from: number;
  readonly to: number | undefined;
  readonly outcome: 'issued' | 'refused' | 'throttled' | 'unavailable' | 'lost' | undefined;
  readonly expiresAt: number | undefined;
}

/** Something was broken, and is taken to show for `recovery` milliseconds after it was mended. */
export interface FaultFact {
  readonly kind: string;
  /** The node that it touches; undefined: all. */
  readonly node: string | undefined;
  /** The server that it touches, and no other; undefined: all that the node could go by. */
  readonly server?: string;
  /** Packets vanish, and nobody is told. */
  readonly isSilent?: boolean;
  readonly from: number;
  readonly to: number;
  readonly recovery: number;
}

export interface LeakFact {
  readonly at: number;
  readonly server: string;
  /** Where the agent is that asked. */
  readonly node: string;
  readonly podUid: string;
  readonly hasCredentials: boolean;
}

/** When news arrived at whom. */
export interface NewsOf {
  /**
   * The last version of an object that had arrived at a process before a moment: it can know no less. 0: none.
   * A process that is told by another has what the other knew when it spoke; with a pod's UID, as far as it spoke after
   * it had told of that pod.
   */
  known(process: string, key: string, before: number, uid?: string): number;
}

export interface CheckSettings {
  /** How roles are spelled out: `arn:aws:iam::123456789012:role/`. */
  readonly arnPrefix: string;
  readonly sessionMillis: number;
  /** How long anything may take to take effect while nothing is broken. */
  readonly settleMillis: number;
  readonly requiresToken: boolean;
  /** The longest that a request may be held. */
  readonly holdMillis: number;
  /** The servers that there are; a node without any has all that it needs of its own. */
  readonly servers: readonly string[];
  /** How long it may take until a node goes by another server when something is wrong with its own. */
  readonly failoverMillis: number;
  /** The same, where nothing says that something is wrong: packets vanish. */
  readonly silentFailoverMillis: number;
  /** Nodes whose sessions are named by the pod's address, as kube2iam names them. */
  readonly namedByAddress: ReadonlySet<string>;
  readonly callsPerSecond: number;
  readonly burst: number;
}
