import { formatRoleArn, type RoleArn } from '../roles/role-arn.ts';
import { allow, type PolicyDocument } from './policy-document.ts';

/** What the nodes that servers run on may do: become the server role, and no role of a pod. */
export function nodePolicy(server: RoleArn): PolicyDocument {
  return allow({ Action: 'sts:AssumeRole', Resource: [formatRoleArn(server)] });
}
