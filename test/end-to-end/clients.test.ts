// Unmodified AWS clients as the pods of a node: nothing is set but where the metadata service is and where AWS is.
// AWS is moto, which nobody here wrote.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { openPodDoor } from '../../src/sandbox/pod-door.ts';
import { podEnvironment } from '../../src/sandbox/pod-environment.ts';
import { runCommand } from '../../src/sandbox/run-command.ts';
import { needs } from '../parts/availability.ts';
import { partPath } from '../parts/catalogue.ts';
import { startMoto } from '../parts/moto.ts';
import { stopWith } from '../parts/scope.ts';
import { permittedKey, roleKey } from './annotate.ts';
import { createHarness, type PodpassAgent } from './harness.ts';
import { mainScript } from './podpass-process.ts';
import { region } from './small-aws.ts';
import { startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 60_000 };
const clientMillis = 40_000;
const nodeName = 'node-1';

/** A client that prints who it is. */
interface AwsClient {
  readonly name: string;
  readonly command: () => readonly string[];
  /** The ARN in what it wrote; empty where it got no credentials. */
  readonly arnIn: (stdout: string) => string;
}

const botoProgram = 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])';

const clients: readonly AwsClient[] = [
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

/** Pods, what their role annotation says, and who they are thereby. */
const pods = [
  {
    name: 'reader',
    address: '127.92.0.1',
    role: 'reader',
    arn: 'arn:aws:sts::123456789012:assumed-role/reader/kiam-kiam',
  },
  {
    name: 'cross-account',
    address: '127.92.0.2',
    role: 'arn:aws:iam::210987654321:role/team/shared',
    arn: 'arn:aws:sts::210987654321:assumed-role/shared/kiam-kiam',
  },
] as const;

describe('AWS clients as pods, with moto as AWS', needs('moto', 'boto3', 'aws'), () => {
  const scope = suiteScope();
  const agents = new Map<string, PodpassAgent>();
  let stsUrl: string;

  before(
    async () => {
      const harness = await createHarness(scope);
      const [moto, cluster] = await Promise.all([startMoto(scope), startSmallCluster(scope, harness)]);
      stsUrl = moto.url;
      await cluster.createNamespace('team', { [permittedKey]: '.*' });
      for (const { name, address, role } of pods) {
        const annotations = { [roleKey]: role };
        await cluster.createPod({ name, namespace: 'team', annotations, nodeName, podIP: address });
      }
      const server = await harness.startServer({
        kubeconfig: cluster.kubeconfig,
        stsUrl,
        // moto takes whatever it is given.
        env: { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'moto' },
      });
      for (const imds of ['v2-preferred', 'v2-required']) {
        const flags = [`--imds=${imds}`];
        agents.set(imds, await harness.startAgent({ nodeName, serverPorts: [server.port], flags }));
      }
      await Promise.all([server, ...agents.values()].map((process) => process.untilReady()));
    },
    { timeout: 100_000 },
  );

  /** Runs a client inside a pod of an agent. Through a `v1` door its PUT is refused, as on an old EC2. */
  async function runAs(
    address: string,
    client: AwsClient,
    { imds, door }: { imds: string; door: 'v1' | 'v2' },
  ): Promise<{ arn: string; stdout: string; stderr: string }> {
    const port = agents.get(imds)?.port ?? 0;
    const agent = { host: '127.0.0.1', port };
    const opened = await openPodDoor({
      podAddress: address,
      agent,
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

  for (const client of clients) {
    describe(client.name, () => {
      for (const { name, address, arn } of pods) {
        for (const door of ['v1', 'v2'] as const) {
          it(`is the role of ${name} through IMDS${door}`, bound, async () => {
            const { arn: got, stderr } = await runAs(address, client, { imds: 'v2-preferred', door });
            assert.equal(got, arn, stderr);
          });
        }
      }

      it('is the role where a session token is required', bound, async () => {
        const { arn, stderr } = await runAs(pods[0].address, client, { imds: 'v2-required', door: 'v2' });
        assert.equal(arn, pods[0].arn, stderr);
      });

      it('gets no credentials without a session token where one is required', bound, async () => {
        const { arn, stdout, stderr } = await runAs(pods[0].address, client, {
          imds: 'v2-required',
          door: 'v1',
        });
        assert.equal(arn, '');
        assert.match(stdout + stderr, /credentials|metadata service/i);
      });
    });
  }
});
