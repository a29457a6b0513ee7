import type { RoleArn } from '../roles/role-arn.ts';
import { applicationTrust } from './application-trust.ts';
import type { IamPlan } from './iam-plan.ts';
import { nodePolicy } from './node-policy.ts';
import type { PolicyDocument } from './policy-document.ts';
import { serverPolicy } from './server-policy.ts';
import { serverTrust } from './server-trust.ts';

/** Every document of a plan. Both formats print these. */
export interface IamDocuments {
  /** Roles that exist already and get a permission. */
  readonly nodes: readonly { readonly role: RoleArn; readonly policy: PolicyDocument }[];
  readonly server: {
    readonly role: RoleArn;
    readonly trustPolicy: PolicyDocument;
    readonly policy: PolicyDocument;
  };
  /** Roles whose permissions are their owners' business. */
  readonly applications: readonly { readonly role: RoleArn; readonly trustPolicy: PolicyDocument }[];
}

export function iamDocuments(plan: IamPlan): IamDocuments {
  const { identity, server, applications, externalId } = plan;
  const nodes = identity.kind === 'nodes' ? identity.roles : [];
  return {
    nodes: nodes.map((role) => ({ role, policy: nodePolicy(server) })),
    server: { role: server, trustPolicy: serverTrust(plan), policy: serverPolicy(plan) },
    applications: applications.map((role) => ({ role, trustPolicy: applicationTrust(server, externalId) })),
  };
}
