import { PodpassError } from '../base/errors.ts';
import type { Ec2Metadata } from './ec2-metadata.ts';

/** What IAM takes as the name of a role. */
const roleName = /^[\w+=,.@-]{1,64}$/;

/**
 * kube2iam's `--auto-discover-default-role`: the name of the role that the instance has, without its path, which the
 * EC2 metadata service does not tell.
 *
 * @throws PodpassError `ERR_METADATA_SERVICE` when the instance has none or cannot be asked.
 */
export async function detectInstanceRole(metadata: Ec2Metadata, signal: AbortSignal): Promise<string> {
  const [name = ''] = (await metadata.read('iam/security-credentials/', signal)).split('\n');
  if (roleName.test(name)) return name;
  throw new PodpassError(
    'ERR_METADATA_SERVICE',
    'the EC2 metadata service names no role in /latest/meta-data/iam/security-credentials/, so the default role cannot ' +
      'be discovered. Give --default-role, or an instance profile to the instance.',
  );
}
