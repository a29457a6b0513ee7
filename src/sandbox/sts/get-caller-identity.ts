import { assumedRoleArn } from './arn.ts';
import { roleId } from './mint.ts';
import type { StsSession } from './session-store.ts';
import type { StsOutcome } from './sts-outcome.ts';

/** GetCallerIdentity: needs no permission, and no policy can deny it. */
export function getCallerIdentity({ role, sessionName }: StsSession): StsOutcome {
  return {
    kind: 'done',
    result: {
      Arn: assumedRoleArn(role, sessionName),
      UserId: `${roleId(role)}:${sessionName}`,
      Account: role.account,
    },
  };
}
