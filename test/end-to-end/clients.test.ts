// Unmodified AWS clients as the pods of a node: nothing is set but where the metadata service is and where AWS is.
// AWS is moto, which nobody here wrote.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { needs } from '../parts/availability.ts';
import { startMoto } from '../parts/moto.ts';
import { permittedKey, roleKey } from './annotate.ts';
import { type AwsClient, awsClients, runClient } from './aws-clients.ts';
import { createHarness, type PodpassAgent } from './harness.ts';
import { startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 60_000 };
const nodeName = 'node-1';

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

  /** Inside a pod of an agent. */
  const runAs = (address: string, client: AwsClient, { imds, door }: { imds: string; door: 'v1' | 'v2' }) =>
    runClient(scope, client, { address, port: agents.get(imds)?.port ?? 0, door, stsUrl });

  for (const client of awsClients) {
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
