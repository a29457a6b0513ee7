import { messageOf } from '../base/errors.ts';
import type { Ec2Metadata } from '../credentials/ec2-metadata.ts';
import { detectRegion } from '../credentials/region.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Environment } from './read-flags.ts';

export interface FindRegionOptions {
  /** `--region`. */
  readonly given: string | undefined;
  readonly env: Environment;
  readonly metadata: Ec2Metadata;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * The region whose STS is called: as given, of the environment, or of the instance. Outside of EC2 there may be none,
 * which is no reason not to start: the global endpoint is called then.
 */
export async function findRegion(options: FindRegionOptions): Promise<string | undefined> {
  const { given, env, metadata, logger, signal } = options;
  const known = given ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  if (known !== undefined) return known;
  if (/^true$/i.test(env.AWS_EC2_METADATA_DISABLED ?? '')) return undefined;
  try {
    const region = await detectRegion(metadata, signal);
    logger.info({ region }, 'calling STS in the region of the instance');
    return region;
  } catch (error) {
    signal.throwIfAborted();
    logger.warn(`calling the global endpoint of STS, because no region is given and ${messageOf(error)}`);
    return undefined;
  }
}
