import { PodpassError } from '../base/errors.ts';
import { detectRoleBaseArn } from '../credentials/base-arn.ts';
import type { Ec2Metadata } from '../credentials/ec2-metadata.ts';
import { parseBaseArn } from '../roles/base-arn.ts';

export interface RoleBaseArnOptions {
  readonly roleBaseArn: string | undefined;
  readonly roleBaseArnAutodetect: boolean;
  readonly metadata: Ec2Metadata;
  readonly signal: AbortSignal;
}

/**
 * What role names are put behind. As with kiam, one of the two flags must be given, and detection wins.
 *
 * @throws PodpassError ERR_USAGE, ERR_ROLE_ARN, ERR_METADATA_SERVICE
 */
export async function findRoleBaseArn(options: RoleBaseArnOptions): Promise<string> {
  const { roleBaseArn, roleBaseArnAutodetect, metadata, signal } = options;
  if (roleBaseArnAutodetect) return detectRoleBaseArn(metadata, signal);
  if (roleBaseArn === undefined) {
    throw new PodpassError(
      'ERR_USAGE',
      'neither --role-base-arn nor --role-base-arn-autodetect is given, so role names cannot be made into ARNs. ' +
        'Give --role-base-arn=arn:aws:iam::ACCOUNT:role/, or --role-base-arn-autodetect on an EC2 instance with a profile.',
    );
  }
  const parsed = parseBaseArn(roleBaseArn);
  if (parsed.kind === 'invalid') throw new PodpassError('ERR_ROLE_ARN', `--role-base-arn: ${parsed.problem}`);
  return parsed.value;
}
