import type { STSClientConfig } from '@aws-sdk/client-sts';
import { messageOf, PodpassError } from '../base/errors.ts';
import { chainingLimitSeconds } from './session-duration.ts';

/** Gives the credentials that podpass calls STS with. The SDK keeps and refreshes them. */
export type OwnCredentials = Exclude<NonNullable<STSClientConfig['credentials']>, { accessKeyId: string }>;

/** What podpass sets of a client: the same for the one that assumes roles and for those that credentials come through. */
export type ClientSettings = Pick<
  STSClientConfig,
  'region' | 'endpoint' | 'maxAttempts' | 'requestHandler' | 'customUserAgent' | 'useGlobalEndpoint'
>;

export interface OwnCredentialsOptions {
  /** Instead of the SDK's default chain (environment, files, web identity, container, instance metadata). */
  readonly credentials?: NonNullable<STSClientConfig['credentials']>;
  /** kiam's `--assume-role-arn`: a role that podpass assumes first, to assume all others from there. */
  readonly assumeRoleArn?: string;
  readonly clientConfig: ClientSettings;
}

/** The session under which podpass's own role appears in CloudTrail. Always the same, so that it can be searched for. */
export const ownSessionName = 'podpass-server';

/**
 * Puts together where podpass's own credentials come from. Nothing is fetched until the SDK asks.
 *
 * What the result throws is a `PodpassError` of code `ERR_STS`, with the SDK's error as its cause: an AccessDenied about
 * podpass's own role must not be taken for one about the role that a pod asked for.
 */
export async function loadOwnCredentials(options: OwnCredentialsOptions): Promise<OwnCredentials> {
  const { credentials, assumeRoleArn, clientConfig } = options;
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
  // clientConfig is for the STS calls that web identity and profiles make, so that they too use the given endpoint.
  const given = credentials ?? fromNodeProviderChain({ clientConfig });
  const base: OwnCredentials = typeof given === 'function' ? given : async () => given;
  const checked = explain(
    base,
    (cause) =>
      `podpass has no AWS credentials of its own: ${messageOf(cause)}. Give it an instance role, IRSA or AWS_ACCESS_KEY_ID.`,
  );
  if (assumeRoleArn === undefined) return checked;
  const temporary = fromTemporaryCredentials({
    masterCredentials: checked,
    // An hour is what chaining permits, and what every role permits.
    params: {
      RoleArn: assumeRoleArn,
      RoleSessionName: ownSessionName,
      DurationSeconds: chainingLimitSeconds,
    },
    clientConfig,
  });
  return explain(
    temporary,
    (cause) => `podpass cannot assume its own role ${assumeRoleArn}: ${messageOf(cause)}`,
  );
}

function explain(provider: OwnCredentials, describe: (cause: unknown) => string): OwnCredentials {
  return async (...args) => {
    try {
      return await provider(...args);
    } catch (cause) {
      if (cause instanceof PodpassError) throw cause;
      throw new PodpassError('ERR_STS', describe(cause), { cause });
    }
  };
}
