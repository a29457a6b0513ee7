import type { RoleArn } from './arn.ts';
import type { IdentityPolicy } from './identity-policy.ts';
import type { TrustPolicy } from './trust-policy.ts';

/** A role of the sandbox's IAM. */
export interface SandboxRole {
  readonly arn: RoleArn;
  /** Seconds, 3600 to 43200. */
  readonly maxSessionDuration: number;
  readonly trustPolicy: TrustPolicy;
  /**
   * ARN patterns (IAM wildcards) of the roles that this role's own permissions let it assume. They count where AWS
   * asks for the caller's permission besides the target's trust: in another account, and where the trust policy names
   * an account instead of a role. A trust policy that names the role itself is enough within one account.
   */
  readonly mayAssume: readonly string[];
  /** The role's own policies, where somebody wants them evaluated. What they allow counts as `mayAssume`; a Deny always. */
  readonly policies?: readonly IdentityPolicy[];
}
