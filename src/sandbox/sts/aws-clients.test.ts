// AWS's own clients against the sandbox's STS and metadata service: what they accept, AWS would have answered.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
  type STSServiceException,
} from '@aws-sdk/client-sts';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { createEc2Metadata, type ListeningEc2Metadata } from '../ec2-metadata/create-ec2-metadata.ts';
import { createSts, type Sts } from './create-sts.ts';
import type { ListeningSts } from './listen-sts.ts';
import { account, role, serverArn, trust } from './sts.fixture.ts';

const readerArn = `arn:aws:iam::${account}:role/team/reader`;
const irsaArn = `arn:aws:iam::${account}:role/irsa`;
const issuer = 'https://oidc.example';
const region = 'eu-west-1';

let keys: GenerateKeyPairResult;
let sts: Sts;
let listening: ListeningSts;

before(async () => {
  keys = await generateKeyPair('RS256');
  const jwks = { keys: [await exportJWK(keys.publicKey)] };
  const roles = [
    role(serverArn, trust({ Service: 'ec2.amazonaws.com' })),
    role(readerArn, trust({ AWS: serverArn })),
    role(
      irsaArn,
      trust(
        { Federated: `arn:aws:iam::${account}:oidc-provider/oidc.example` },
        { Action: 'sts:AssumeRoleWithWebIdentity' },
      ),
    ),
  ];
  const oidcProviders = new Map([[issuer, { getJwks: async () => jwks }]]);
  sts = createSts({ clock: systemClock, random: systemRandom, roles, oidcProviders });
  listening = await sts.listen('127.0.0.1', 0);
});
after(() => listening.close());

function serverCredentials() {
  const { accessKeyId, secretAccessKey, sessionToken } = sts.issueFor(serverArn, { sessionName: 'i-1' });
  return { accessKeyId, secretAccessKey, sessionToken };
}

describe('the AWS SDK for JavaScript', () => {
  function client(credentials = serverCredentials(), maxAttempts = 1) {
    return new STSClient({ endpoint: listening.url, region, credentials, maxAttempts });
  }

  it('is told who it is', async () => {
    const identity = await client().send(new GetCallerIdentityCommand({}));
    assert.equal(identity.Arn, `arn:aws:sts::${account}:assumed-role/podpass-server/i-1`);
    assert.equal(identity.Account, account);
    assert.match(identity.$metadata.requestId ?? '', /^[0-9a-f-]{36}$/);
  });

  it('assumes a role, and uses what it got', async () => {
    const command = new AssumeRoleCommand({
      RoleArn: readerArn,
      RoleSessionName: 'kiam-a=b,c.d@e-f+g',
      DurationSeconds: 900,
      ExternalId: 'a:b/c=d+e',
    });
    const { Credentials: got, AssumedRoleUser: user } = await client().send(command);
    assert.equal(user?.Arn, `arn:aws:sts::${account}:assumed-role/reader/kiam-a=b,c.d@e-f+g`);
    const left = (got?.Expiration?.getTime() ?? 0) - systemClock.now();
    assert.ok(left > 890_000 && left <= 900_000, `${left} ms left`);
    const identity = await client({
      accessKeyId: got?.AccessKeyId ?? '',
      secretAccessKey: got?.SecretAccessKey ?? '',
      sessionToken: got?.SessionToken ?? '',
    }).send(new GetCallerIdentityCommand({}));
    assert.equal(identity.Arn, user?.Arn);
    assert.equal(identity.UserId, user?.AssumedRoleId);
  });

  it('exchanges a token', async () => {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(issuer)
      .setSubject('system:serviceaccount:default:web')
      .setAudience('sts.amazonaws.com')
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(keys.privateKey);
    const command = new AssumeRoleWithWebIdentityCommand({
      RoleArn: irsaArn,
      RoleSessionName: 'web',
      WebIdentityToken: token,
    });
    const got = await client().send(command);
    assert.equal(got.AssumedRoleUser?.Arn, `arn:aws:sts::${account}:assumed-role/irsa/web`);
    assert.equal(got.SubjectFromWebIdentityToken, 'system:serviceaccount:default:web');
  });

  it('reads the errors', async () => {
    const unknownRole = new AssumeRoleCommand({ RoleArn: `${readerArn}-x`, RoleSessionName: 'kiam-web' });
    const badName = new AssumeRoleCommand({ RoleArn: readerArn, RoleSessionName: 'a b' });
    await assert.rejects(client().send(unknownRole), (error: STSServiceException) => {
      assert.equal(error.name, 'AccessDenied');
      assert.equal(error.$metadata.httpStatusCode, 403);
      assert.match(error.message, /^User: .* is not authorized to perform: sts:AssumeRole on resource: /);
      return true;
    });
    await assert.rejects(client().send(badName), { name: 'ValidationError', $fault: 'client' });
    const stranger = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'x', sessionToken: 'y' };
    await assert.rejects(client(stranger).send(new GetCallerIdentityCommand({})), {
      name: 'InvalidClientTokenId',
    });
  });

  it('tries again when it is throttled, because it knows that 400 for what it is', async () => {
    sts.faults.add({ kind: 'throttle', times: 1 });
    const identity = await client(serverCredentials(), 2).send(new GetCallerIdentityCommand({}));
    assert.equal(identity.$metadata.attempts, 2);
  });
});

describe('the AWS CLI', async () => {
  const missing = await findAwsCli();
  if (missing && process.env.PODPASS_REQUIRE_PARTS === '1') {
    it('is there', () => assert.fail(missing));
    return;
  }
  const options = { skip: missing ?? false };
  let imds: ListeningEc2Metadata;

  before(async () => {
    imds = await createEc2Metadata({
      clock: systemClock,
      random: systemRandom,
      instance: {
        instanceId: 'i-0123456789abcdef0',
        accountId: account,
        roleArn: serverArn,
        region,
        localIpv4: '10.0.0.1',
        userData: '',
      },
      issueCredentials: () => sts.issueFor(serverArn, { sessionName: 'i-0123456789abcdef0' }),
      httpTokens: 'required',
    }).listen('127.0.0.1', 0);
  });
  after(() => imds.close());

  function explicitCredentials() {
    const { accessKeyId, secretAccessKey, sessionToken } = serverCredentials();
    return {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  it('is told who it is', options, async () => {
    const { stdout } = await aws(['get-caller-identity'], explicitCredentials());
    assert.equal(JSON.parse(stdout).Arn, `arn:aws:sts::${account}:assumed-role/podpass-server/i-1`);
  });

  it('assumes a role', options, async () => {
    const args = ['assume-role', `--role-arn=${readerArn}`, '--role-session-name=kiam-web'];
    const { stdout } = await aws(args, explicitCredentials());
    assert.equal(
      JSON.parse(stdout).AssumedRoleUser.Arn,
      `arn:aws:sts::${account}:assumed-role/reader/kiam-web`,
    );
  });

  it('shows what STS says', options, async () => {
    const args = ['assume-role', `--role-arn=${readerArn}-x`, '--role-session-name=kiam-web'];
    const { stderr } = await aws(args, explicitCredentials());
    assert.match(
      stderr,
      /\(AccessDenied\) when calling the AssumeRole operation: User: .* is not authorized/,
    );
  });

  it('takes the credentials of an instance from the metadata service', options, async () => {
    const { stdout } = await aws(['get-caller-identity'], { AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url });
    assert.equal(
      JSON.parse(stdout).Arn,
      `arn:aws:sts::${account}:assumed-role/podpass-server/i-0123456789abcdef0`,
    );
  });
});

/** Runs `aws sts` with these credentials and no others. */
function aws(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      'aws',
      ['sts', ...args, `--endpoint-url=${listening.url}`, `--region=${region}`, '--output=json'],
      {
        timeout: 60_000,
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          AWS_CONFIG_FILE: '/dev/null',
          AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
          AWS_MAX_ATTEMPTS: '1',
          NO_PROXY: '127.0.0.1',
          ...env,
        },
      },
      (_error, stdout, stderr) => resolve({ stdout, stderr }),
    );
  });
}

/** Why there is no AWS CLI here, if there is none. */
function findAwsCli(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('aws', ['--version'], { timeout: 60_000 }, (error) => {
      resolve(error ? 'the AWS CLI is not on PATH: npm run parts, or pip install awscli' : undefined);
    });
  });
}
