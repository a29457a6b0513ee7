import { formatRoleArn, type RoleArn } from '../roles/role-arn.ts';
import type { IamPlan } from './iam-plan.ts';
import { allow, type PolicyDocument } from './policy-document.ts';

/** Which roles the server role may assume: each one that is named, or what stands below the path. */
export function serverPolicy({ server, applications, applicationPath }: IamPlan): PolicyDocument {
  const resource = (role: RoleArn): string =>
    applicationPath !== undefined && role.path.startsWith(applicationPath)
      ? below(role, applicationPath)
      : formatRoleArn(role);
  const resources = applications.map(resource);
  if (applicationPath !== undefined) resources.unshift(below(server, applicationPath));
  return allow({ Action: 'sts:AssumeRole', Resource: [...new Set(resources)] });
}

function below({ partition, accountId }: RoleArn, path: string): string {
  return `arn:${partition}:iam::${accountId}:role${path}*`;
}
