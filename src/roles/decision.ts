/**
 * The decision about one pod: which role it is bound to and whether it may have it. It carries its own explanation;
 * the HTTP error body, the Kubernetes event, the log line and `podpass explain` are renderings of this value.
 */
export type Decision = (
  | { readonly kind: 'granted'; readonly role: BoundRole; readonly session: SessionRequest }
  /** The pod has no role annotation, and there is no default role. */
  | { readonly kind: 'no-role' }
  | { readonly kind: 'forbidden'; readonly role: BoundRole; readonly refusal: Refusal }
  /** An annotation of the pod cannot be used as it is written. */
  | { readonly kind: 'invalid'; readonly annotation: string; readonly problem: string }
  /** The pod's namespace, or an address that names its session, has not been seen yet: wait, do not refuse. */
  | { readonly kind: 'undecided' }
) & { readonly findings: readonly Finding[] };

/** The role a pod is bound to. */
export interface BoundRole {
  /** As the annotation (or the default) has it, byte for byte: what the metadata door lists. `reader`, `/team/reader` or a full ARN. */
  readonly name: string;
  /** The full ARN: `arn:aws:iam::123456789012:role/team/reader`. */
  readonly arn: string;
}

/** What STS is asked for, apart from the role. */
export interface SessionRequest {
  /** RoleSessionName: 2 to 64 of `[\w+=,.@-]`. */
  readonly sessionName: string;
  /** ExternalId, where the pod names one. A secret: never written anywhere. */
  readonly externalId?: string;
  /** There is an external id, and which it is was not told: an agent knows no more. */
  readonly hasExternalId?: true;
}

/** Why the namespace does not permit the role. */
export type Refusal =
  /** The annotation is not there, or empty. */
  | { readonly rule: 'missing'; readonly annotation: string }
  | { readonly rule: 'no-match'; readonly annotation: string; readonly expression: string }
  | {
      readonly rule: 'invalid';
      readonly annotation: string;
      readonly expression: string;
      readonly problem: string;
    };

/** One step of the explanation: a question, what was looked at, and what was found there. */
export interface Finding {
  /** `role`: which role is the pod bound to? `permission`: may it have it? `session`: what is STS asked for? */
  readonly question: 'role' | 'permission' | 'session';
  /** Where the answer was looked for: `annotation iam.amazonaws.com/role of the pod`. */
  readonly lookedAt: string;
  readonly found: string;
}
