import { unreachable } from '../base/errors.ts';
import { formatRoleArn } from '../roles/role-arn.ts';
import type { IamPlan } from './iam-plan.ts';
import { allow, type PolicyDocument } from './policy-document.ts';

/**
 * Who may become the server role. Nodes are named by their whole ARNs: the account's root ARN would let in every
 * principal of the account that has sts:AssumeRole on `*`.
 */
export function serverTrust({ identity, server }: IamPlan): PolicyDocument {
  switch (identity.kind) {
    case 'nodes':
      return allow({
        Principal: { AWS: identity.roles.map(formatRoleArn) },
        Action: 'sts:AssumeRole',
      });
    case 'web-identity': {
      const { provider, subject } = identity;
      const { partition, accountId } = server;
      return allow({
        Principal: { Federated: `arn:${partition}:iam::${accountId}:oidc-provider/${provider}` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        // Without the subject, every service account of the cluster would be let in.
        Condition: {
          StringEquals: { [`${provider}:aud`]: 'sts.amazonaws.com', [`${provider}:sub`]: subject },
        },
      });
    }
    default:
      return unreachable(identity);
  }
}
