import assert from 'node:assert/strict';
import { openPodDoor } from '../../src/sandbox/pod-door.ts';
import { podEnvironment } from '../../src/sandbox/pod-environment.ts';
import { runCommand } from '../../src/sandbox/run-command.ts';
import { partPath } from '../parts/catalogue.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import { mainScript } from './podpass-process.ts';
import { region } from './small-aws.ts';

/** An unmodified AWS client that prints who it is. */
export interface AwsClient {
  readonly name: string;
  readonly command: () => readonly string[];
  /** The ARN in what it wrote; empty where it got no credentials. */
  readonly arnIn: (stdout: string) => string;
}

export interface ClientRun {
  readonly arn: string;
  readonly stdout: string;
  readonly stderr: string;
}

const botoProgram = 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])';
const clientMillis = 40_000;

/** They need the parts boto3 and aws. */
export const awsClients: readonly AwsClient[] = [
  {
    name: 'the AWS SDK for JavaScript',
    command: () => [process.execPath, mainScript, 'sandbox', 'client'],
    arnIn: (stdout) => (JSON.parse(stdout) as { arn?: string }).arn ?? '',
  },
  {
    name: 'boto3',
    command: () => [partPath('boto3'), '-c', botoProgram],
    arnIn: (stdout) => stdout.trim(),
  },
  {
    name: 'the AWS CLI',
    command: () => [partPath('aws'), 'sts', 'get-caller-identity', '--query=Arn', '--output=text'],
    arnIn: (stdout) => stdout.trim(),
  },
];

export interface RunClientOptions {
  /** The pod it runs in. */
  readonly address: string;
  /** The port of podpass's door. */
  readonly port: number;
  /** Through a `v1` door its PUT is refused, as on an old EC2. */
  readonly door: 'v1' | 'v2';
  readonly stsUrl: string;
}

/** Runs a client inside a pod: nothing is set but where the metadata service is and where AWS is. */
export async function runClient(
  scope: Scope,
  client: AwsClient,
  { address, port, door, stsUrl }: RunClientOptions,
): Promise<ClientRun> {
  const opened = await openPodDoor({
    podAddress: address,
    agent: { host: '127.0.0.1', port },
    imds: door,
    listenHost: '127.0.0.1',
    port: 0,
  });
  stopWith(scope, () => opened.close());
  const [file = '', ...args] = client.command();
  const env = podEnvironment({ PATH: process.env.PATH }, { metadataUrl: opened.url, stsUrl, region });
  const ended = await runCommand(file, args, { env, bound: clientMillis, signal: scope.signal });
  assert.equal(ended.kind, 'exited', JSON.stringify(ended));
  const { stdout, stderr } = ended.kind === 'exited' ? ended : { stdout: '', stderr: '' };
  return { arn: client.arnIn(stdout), stdout, stderr };
}
