/** Where the services of a sandbox are, as its pods see them. */
export interface PodEnvironmentOptions {
  /** The pod's own door to the agent: `http://127.0.0.1:41234`. */
  readonly metadataUrl: string;
  readonly stsUrl: string;
  readonly region: string;
  /** Folders to put behind the PATH, for an AWS CLI that the sandbox brought. */
  readonly extraPath?: readonly string[];
}

/** What would give an AWS client other credentials, or send it elsewhere. */
const unwanted = /^(AWS_|BOTO|HTTPS?_PROXY$|https?_proxy$|ALL_PROXY$|all_proxy$)/;

/**
 * The environment in which any AWS client becomes a pod of the sandbox: no credentials but those of the metadata
 * service, which is the pod's door, and no AWS but the sandbox's.
 *
 * `AWS_ENDPOINT_URL` sends every service to the sandbox's STS, which refuses what it does not know: a client that is
 * tried out here never reaches the real AWS.
 */
export function podEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  options: PodEnvironmentOptions,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined && !unwanted.test(name)) environment[name] = value;
  }
  return {
    ...environment,
    PATH: [base.PATH ?? '', ...(options.extraPath ?? [])].filter((part) => part !== '').join(':'),
    AWS_EC2_METADATA_SERVICE_ENDPOINT: options.metadataUrl,
    AWS_ENDPOINT_URL: options.stsUrl,
    AWS_ENDPOINT_URL_STS: options.stsUrl,
    AWS_REGION: options.region,
    AWS_DEFAULT_REGION: options.region,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_PAGER: '',
    NO_PROXY: '127.0.0.1,localhost',
  };
}
