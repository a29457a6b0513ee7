import { PodpassError } from '../base/errors.ts';
import type { Ec2Metadata } from './ec2-metadata.ts';

const regionPattern = /^[a-z]{2,8}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/;

/** Whether a text can be the name of an AWS region: `eu-west-1`, `us-gov-east-1`, `us-isob-east-1`. */
export function isRegionName(text: string): boolean {
  return regionPattern.test(text);
}

/**
 * The region of the instance that podpass runs on.
 *
 * @throws PodpassError `ERR_METADATA_SERVICE` when it cannot be asked or names none.
 */
export async function detectRegion(metadata: Ec2Metadata, signal: AbortSignal): Promise<string> {
  const region = await metadata.read('placement/region', signal);
  if (isRegionName(region)) return region;
  throw new PodpassError(
    'ERR_METADATA_SERVICE',
    'the EC2 metadata service names no region in /latest/meta-data/placement/region. Give --region.',
  );
}
