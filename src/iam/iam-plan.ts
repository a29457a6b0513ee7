import type { RoleArn } from '../roles/role-arn.ts';

/** Whose credentials the servers start with, before they assume the server role. */
export type ServerIdentity =
  /** The instance profiles of the nodes that servers run on. */
  | { readonly kind: 'nodes'; readonly roles: readonly RoleArn[] }
  /** The token of the servers' own service account, through an OIDC provider in the server role's account. */
  | {
      readonly kind: 'web-identity';
      /** The issuer without `https://`, as IAM names a provider. */
      readonly provider: string;
      /** `system:serviceaccount:NAMESPACE:NAME` */
      readonly subject: string;
    };

/** What the documents are made from. Its roles are of one partition, and none is there twice. */
export interface IamPlan {
  readonly identity: ServerIdentity;
  readonly server: RoleArn;
  readonly applications: readonly RoleArn[];
  /** Begins and ends with a slash: the server role may assume every role below it, in its own account and theirs. */
  readonly applicationPath?: string;
  /** Whether application roles demand an external id. */
  readonly externalId: boolean;
}
