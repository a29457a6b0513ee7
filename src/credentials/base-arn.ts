import { PodpassError } from '../base/errors.ts';
import { roleBaseArnOf } from './caller-identity.ts';
import type { Ec2Metadata } from './ec2-metadata.ts';

const profilePattern = /^arn:(aws[a-z-]*):iam::(\d{12}):instance-profile\/.+$/;

/**
 * kiam's `--role-base-arn-autodetect`: the account and partition of the instance profile give the role base ARN,
 * `arn:aws:iam::123456789012:role/`. The path of the profile plays no part in it.
 *
 * @throws PodpassError `ERR_METADATA_SERVICE` when the instance has no profile or cannot be asked.
 */
export async function detectRoleBaseArn(metadata: Ec2Metadata, signal: AbortSignal): Promise<string> {
  const info = await metadata.read('iam/info', signal);
  const [, partition, account] = profilePattern.exec(profileArnOf(info)) ?? [];
  if (partition && account) return roleBaseArnOf({ partition, account });
  throw new PodpassError(
    'ERR_METADATA_SERVICE',
    'the EC2 metadata service names no instance profile in /latest/meta-data/iam/info, so the role base ARN cannot be ' +
      'detected. Give --role-base-arn, or an instance profile to the instance.',
  );
}

function profileArnOf(info: string): string {
  try {
    const { InstanceProfileArn } = JSON.parse(info) as { InstanceProfileArn?: unknown };
    return typeof InstanceProfileArn === 'string' ? InstanceProfileArn : '';
  } catch {
    return '';
  }
}
