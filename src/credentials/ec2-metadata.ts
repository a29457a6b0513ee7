import { bounded } from '../base/bounded.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { messageOf, PodpassError } from '../base/errors.ts';

export interface Ec2MetadataOptions {
  readonly clock: Clock;
  /** Default: what the SDK finds in the environment, else `http://169.254.169.254`. */
  readonly endpoint?: string;
  /** The bound of one question with its repetitions. Default 5 s. */
  readonly timeoutMillis?: number;
}

/** What podpass asks the metadata service of the instance it runs on. IMDSv2, with the SDK's fallback to v1. */
export interface Ec2Metadata {
  /**
   * The text below `/latest/meta-data/`.
   *
   * @throws PodpassError `ERR_METADATA_SERVICE` when there is none within the time allowed; the signal's reason.
   */
  read(path: string, signal: AbortSignal): Promise<string>;
}

const retries = 2;
const retryMillis = 200;

/** Nothing that we ask for comes near. */
const longestAnswer = 16_384;

/** Asks the metadata service with the AWS SDK, which is loaded with the first question. */
export function createEc2Metadata(options: Ec2MetadataOptions): Ec2Metadata {
  const { clock, endpoint, timeoutMillis = 5_000 } = options;

  async function request(path: string, signal: AbortSignal): Promise<string> {
    const { MetadataService } = await import('@aws-sdk/ec2-metadata-service');
    const service = new MetadataService({
      ...(endpoint === undefined ? {} : { endpoint }),
      httpOptions: { timeout: Math.min(1_000, timeoutMillis) },
      retries,
      backoff: () => sleep(clock, retryMillis, signal),
    });
    // Without a leading slash: the SDK puts the one of the endpoint before it.
    return service.request(`latest/meta-data/${path}`, {});
  }

  return {
    async read(path, signal) {
      try {
        const answer = await bounded(clock, timeoutMillis, signal, (inner) => request(path, inner));
        if (answer.kind === 'done' && answer.value.length <= longestAnswer) return answer.value.trim();
        throw new Error(answer.kind === 'done' ? 'the answer is too long' : 'no answer in time');
      } catch (cause) {
        signal.throwIfAborted();
        throw new PodpassError(
          'ERR_METADATA_SERVICE',
          `the EC2 metadata service did not answer /latest/meta-data/${path}: ${messageOf(cause)}. ` +
            'On EC2, run podpass with the host network or set the hop limit of the instance to 2.',
          { cause },
        );
      }
    },
  };
}
