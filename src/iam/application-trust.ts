import { formatRoleArn, type RoleArn } from '../roles/role-arn.ts';
import { allow, type PolicyDocument } from './policy-document.ts';

/**
 * What stands for the external id. The real one is a secret: it is on no command line and in no output. STS takes no
 * external id with angle brackets, so a document in which this was left standing lets nobody in.
 */
export const externalIdPlaceholder = '<external-id>';

/** Who may become the role of a pod: the server role, and nobody else. */
export function applicationTrust(server: RoleArn, externalId: boolean): PolicyDocument {
  return allow({
    Principal: { AWS: [formatRoleArn(server)] },
    Action: 'sts:AssumeRole',
    ...(externalId && { Condition: { StringEquals: { 'sts:ExternalId': externalIdPlaceholder } } }),
  });
}
