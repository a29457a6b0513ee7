import { PodpassError } from '../base/errors.ts';
import { detectRoleBaseArn } from '../credentials/base-arn.ts';
import type { Ec2Metadata } from '../credentials/ec2-metadata.ts';
import { detectInstanceRole } from '../credentials/instance-role.ts';
import { parseBaseArn } from '../roles/base-arn.ts';

export interface RoleDefaultsOptions {
  readonly baseRoleArn: string | undefined;
  readonly autoDiscoverBaseArn: boolean;
  readonly defaultRole: string | undefined;
  readonly autoDiscoverDefaultRole: boolean;
  readonly metadata: Ec2Metadata;
  readonly signal: AbortSignal;
}

/** What pods' annotations leave open. */
export interface RoleDefaults {
  /** Absent: only full ARNs are understood. */
  readonly baseArn?: string;
  /** Absent: a pod without the annotation has no role. */
  readonly defaultRole?: string;
}

/**
 * What kube2iam's four flags of roles come to. As there, discovering the default role discovers the base ARN with it,
 * which wins over one that is given.
 *
 * @throws PodpassError ERR_ROLE_ARN, ERR_METADATA_SERVICE
 */
export async function findRoleDefaults(options: RoleDefaultsOptions): Promise<RoleDefaults> {
  const { baseRoleArn, autoDiscoverBaseArn, defaultRole, autoDiscoverDefaultRole, metadata, signal } =
    options;
  if (autoDiscoverDefaultRole) {
    const [baseArn, discovered] = await Promise.all([
      detectRoleBaseArn(metadata, signal),
      detectInstanceRole(metadata, signal),
    ]);
    return { baseArn, defaultRole: discovered };
  }
  const baseArn = autoDiscoverBaseArn ? await detectRoleBaseArn(metadata, signal) : parseGiven(baseRoleArn);
  return {
    ...(baseArn === undefined ? {} : { baseArn }),
    ...(defaultRole === undefined ? {} : { defaultRole }),
  };
}

function parseGiven(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const parsed = parseBaseArn(text);
  if (parsed.kind === 'ok') return parsed.value;
  throw new PodpassError('ERR_ROLE_ARN', `Invalid --base-role-arn specified: ${parsed.problem}`);
}
