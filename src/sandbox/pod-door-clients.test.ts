// AWS's own clients through a pod's door, with the EC2 stand-in where the agent would be: the one thing a client is
// given is its endpoint, and the kind of door decides which version of the metadata service it speaks.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, afterEach, before, describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import { createEc2Metadata, type Ec2Metadata } from './ec2-metadata/create-ec2-metadata.ts';
import { openPodDoor, type PodDoor } from './pod-door.ts';
import { createSts } from './sts/create-sts.ts';
import { account, role, serverArn, trust } from './sts/sts.fixture.ts';

const sts = createSts({
  clock: systemClock,
  random: systemRandom,
  roles: [role(serverArn, trust({ Service: 'ec2.amazonaws.com' }))],
});
const instanceId = 'i-0123456789abcdef0';
const session = `arn:aws:sts::${account}:assumed-role/podpass-server/${instanceId}`;
const podAddress = '127.66.0.5';

let stsUrl: string;
let closeSts: () => Promise<void>;
before(async () => {
  const listening = await sts.listen('127.0.0.1', 0);
  stsUrl = listening.url;
  closeSts = listening.close;
});
after(() => closeSts());

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function openDoor(imds: 'v1' | 'v2', httpTokens: 'optional' | 'required') {
  const metadata: Ec2Metadata = createEc2Metadata({
    clock: systemClock,
    random: systemRandom,
    instance: {
      instanceId,
      accountId: account,
      roleArn: serverArn,
      region: 'eu-west-1',
      localIpv4: '10.0.0.1',
      userData: '',
    },
    issueCredentials: () => sts.issueFor(serverArn, { sessionName: instanceId }),
    httpTokens,
  });
  const listening = await metadata.listen('127.0.0.1', 0);
  cleanups.push(() => listening.close());
  const agent = { host: '127.0.0.1', port: listening.port };
  const door: PodDoor = await openPodDoor({ podAddress, agent, imds, listenHost: '127.0.0.1', port: 0 });
  cleanups.push(() => door.close());
  return { metadata, door };
}

/** Prints the ARN of whoever the SDK's own instance provider makes it. */
const sdkProgram = `
  import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
  import { fromInstanceMetadata } from '@aws-sdk/credential-providers';
  const credentials = fromInstanceMetadata({ maxRetries: 0, timeout: 10_000 });
  const sts = new STSClient({ endpoint: process.env.STS_URL, region: 'eu-west-1', credentials, maxAttempts: 1 });
  console.log((await sts.send(new GetCallerIdentityCommand({}))).Arn);
`;

type Client = (endpoint: string) => Promise<{ stdout: string; stderr: string }>;

const clients: readonly (readonly [name: string, missing: string | undefined, run: Client])[] = [
  [
    'the AWS SDK for JavaScript',
    undefined,
    (endpoint) => run(process.execPath, ['--input-type=module', '--eval', sdkProgram], endpoint),
  ],
  [
    'the AWS CLI',
    await findAwsCli(),
    (endpoint) =>
      run(
        'aws',
        [
          'sts',
          'get-caller-identity',
          `--endpoint-url=${stsUrl}`,
          '--query=Arn',
          '--output=text',
          '--region=eu-west-1',
        ],
        endpoint,
      ),
  ],
];

for (const [name, missing, runClient] of clients) {
  describe(`${name} behind a pod's door`, () => {
    if (missing && process.env.PODPASS_REQUIRE_PARTS === '1') {
      it('is there', () => assert.fail(missing));
      return;
    }
    const options = { skip: missing ?? false };

    it('speaks version 2 from the address of the pod', options, async () => {
      const { metadata, door } = await openDoor('v2', 'required');
      const { stdout, stderr } = await runClient(door.url);
      assert.equal(stdout.trim(), session, stderr);
      assert.deepEqual(new Set(metadata.requests.map(({ method }) => method)), new Set(['PUT', 'GET']));
      assert.deepEqual(new Set(metadata.requests.map(({ status }) => status)), new Set([200]));
      assert.deepEqual(new Set(metadata.requests.map(({ from }) => from)), new Set([podAddress]));
    });

    it('falls back to version 1 where its PUT is refused', options, async () => {
      const { metadata, door } = await openDoor('v1', 'optional');
      const { stdout, stderr } = await runClient(door.url);
      assert.equal(stdout.trim(), session, stderr);
      assert.deepEqual(new Set(metadata.requests.map(({ method }) => method)), new Set(['GET']));
    });

    it('gets nothing by version 1 where tokens are required', options, async () => {
      const { metadata, door } = await openDoor('v1', 'required');
      const { stdout } = await runClient(door.url);
      assert.equal(stdout.trim(), '');
      assert.ok(metadata.requests.length > 0);
      assert.deepEqual(new Set(metadata.requests.map(({ status }) => status)), new Set([401]));
    });
  });
}

/** Runs a client that knows no credentials and no region but what it finds at the endpoint. */
function run(
  command: string,
  args: readonly string[],
  endpoint: string,
): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      {
        timeout: 60_000,
        cwd: import.meta.dirname,
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          AWS_CONFIG_FILE: '/dev/null',
          AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
          AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint,
          AWS_METADATA_SERVICE_NUM_ATTEMPTS: '1',
          AWS_METADATA_SERVICE_TIMEOUT: '10',
          NO_PROXY: '127.0.0.1',
          STS_URL: stsUrl,
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
