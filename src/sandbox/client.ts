/** What an AWS client came to. */
export type ClientResult =
  | { readonly kind: 'identity'; readonly arn: string; readonly account: string }
  | { readonly kind: 'error'; readonly name: string; readonly message: string };

/**
 * Asks who it is with the AWS SDK for JavaScript, unmodified: credentials from the metadata service that
 * `AWS_EC2_METADATA_SERVICE_ENDPOINT` names, GetCallerIdentity at `AWS_ENDPOINT_URL_STS`.
 *
 * Refuses to run without both, because the SDK would then look for the real ones.
 */
export async function runClient(env: Readonly<Record<string, string | undefined>>): Promise<ClientResult> {
  for (const name of ['AWS_EC2_METADATA_SERVICE_ENDPOINT', 'AWS_ENDPOINT_URL_STS', 'AWS_REGION']) {
    if (!env[name])
      return {
        kind: 'error',
        name: 'NotInSandbox',
        message: `${name} is not set: run this through "sandbox exec"`,
      };
  }
  const [{ STSClient, GetCallerIdentityCommand }, { fromInstanceMetadata }] = await Promise.all([
    import('@aws-sdk/client-sts'),
    import('@aws-sdk/credential-providers'),
  ]);
  const client = new STSClient({ credentials: fromInstanceMetadata({}), maxAttempts: 1 });
  try {
    const { Arn = '', Account = '' } = await client.send(new GetCallerIdentityCommand({}));
    return { kind: 'identity', arn: Arn, account: Account };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    return { kind: 'error', name, message };
  } finally {
    client.destroy();
  }
}
