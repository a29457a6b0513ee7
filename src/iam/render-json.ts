import { formatRoleArn } from '../roles/role-arn.ts';
import type { IamDocuments } from './iam-documents.ts';

/** All documents as one JSON text, each beside the ARN of its role. */
export function renderJson({ nodes, server, applications }: IamDocuments): string {
  const shown = {
    nodeRoles: nodes.map(({ role, policy }) => ({ arn: formatRoleArn(role), policy })),
    serverRole: {
      arn: formatRoleArn(server.role),
      trustPolicy: server.trustPolicy,
      policy: server.policy,
    },
    applicationRoles: applications.map(({ role, trustPolicy }) => ({
      arn: formatRoleArn(role),
      trustPolicy,
    })),
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}
