import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createSts, type Sts, type StsOptions } from '../../src/sandbox/sts/create-sts.ts';
import { account, role, serverArn, trust } from '../../src/sandbox/sts/sts.fixture.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import type { ServedCredentials } from './ask-agent.ts';

/** The sandbox's STS on loopback, with a role for the server and some that trust it. */
export interface SmallAws {
  readonly sts: Sts;
  readonly url: string;
  /** The server's own credentials, and nothing else. */
  readonly serverEnv: Readonly<Record<string, string>>;
  /** How often AssumeRole was answered with credentials, for one role or for all. */
  issued(roleName?: string): number;
  /** How often AssumeRole was called at all. */
  called(roleName?: string): number;
}

export const roleBaseArn = `arn:aws:iam::${account}:role/`;
export const region = 'eu-west-1';
const sixHours = 21_600;

/** @param roleNames roles that the server may assume */
export async function startSmallAws(
  scope: Scope,
  roleNames: readonly string[],
  { oidcProviders = new Map() }: Pick<StsOptions, 'oidcProviders'> = {},
): Promise<SmallAws> {
  const server = role(serverArn, trust({ Service: 'ec2.amazonaws.com' }), { maxSessionDuration: 43_200 });
  const assumable = roleNames.map((name) => role(roleBaseArn + name, trust({ AWS: serverArn })));
  const sts = createSts({
    clock: systemClock,
    random: systemRandom,
    roles: [server, ...assumable],
    oidcProviders,
  });
  const { url, close } = await sts.listen('127.0.0.1', 0);
  stopWith(scope, close);
  const own = sts.issueFor(serverArn, { sessionName: 'i-0123456789abcdef0', durationSeconds: sixHours });

  function callsOf(roleName?: string) {
    return sts.calls.filter(
      ({ action, roleArn }) =>
        action === 'AssumeRole' && (roleName === undefined || roleArn === roleBaseArn + roleName),
    );
  }

  return {
    sts,
    url,
    serverEnv: {
      AWS_ACCESS_KEY_ID: own.accessKeyId,
      AWS_SECRET_ACCESS_KEY: own.secretAccessKey,
      AWS_SESSION_TOKEN: own.sessionToken,
    },
    issued: (roleName) => callsOf(roleName).filter(({ outcome }) => outcome === 'ok').length,
    called: (roleName) => callsOf(roleName).length,
  };
}

/** Who the credentials make their holder, by the word of an STS: the ARN of the session. */
export async function whoIs(
  stsUrl: string,
  { AccessKeyId, SecretAccessKey, Token }: ServedCredentials,
): Promise<string> {
  const client = new STSClient({
    endpoint: stsUrl,
    region,
    credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token },
    maxAttempts: 1,
  });
  try {
    return (await client.send(new GetCallerIdentityCommand({}))).Arn ?? '';
  } finally {
    client.destroy();
  }
}
