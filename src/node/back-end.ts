/** Something that can hold the rule: nftables or iptables. */
export interface FirewallBackEnd {
  readonly name: string;
  /**
   * Installs the rule, and all that belongs to it, whatever part of it is there already.
   *
   * @returns what a person should know of what was found, if anything
   */
  readonly install: () => Promise<InstallOutcome>;
  /** Whether the rule is as it was installed. `thorough` looks at all that belongs to it, which costs more. */
  readonly check: (thorough: boolean) => Promise<CheckOutcome>;
  readonly remove: () => Promise<RemoveOutcome>;
  /** Makes new connections to the agent wait in their callers' kernels until `releaseNewcomers`, or until it is installed. */
  readonly holdNewcomers?: () => Promise<void>;
  readonly releaseNewcomers?: () => Promise<void>;
}

export type InstallOutcome =
  | { readonly kind: 'installed'; readonly notes: readonly string[] }
  /** The tool is not on this machine. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly message: string };

export type CheckOutcome =
  /** `strangers`: interfaces through which metadata packets arrived that the rule does not name. */
  | { readonly kind: 'intact'; readonly strangers: readonly string[] }
  | { readonly kind: 'damaged'; readonly message: string };

export type RemoveOutcome =
  | { readonly kind: 'removed' }
  | { readonly kind: 'failed'; readonly message: string };
