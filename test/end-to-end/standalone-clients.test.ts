// Unmodified AWS clients as the pods of a standalone node outside of EC2. AWS is moto, which nobody here wrote.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { needs } from '../parts/availability.ts';
import { freePorts } from '../parts/free-ports.ts';
import { startMoto } from '../parts/moto.ts';
import { roleKey } from './annotate.ts';
import { awsClients, runClient } from './aws-clients.ts';
import { createHarness } from './harness.ts';
import { startPodpass } from './podpass-process.ts';
import { region, roleBaseArn } from './small-aws.ts';
import { startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 60_000 };
const nodeName = 'node-1';

/** Pods, what their role annotation says, and who they are thereby, with session names as kube2iam makes them. */
const pods = [
  {
    name: 'path',
    address: '127.96.0.1',
    role: 'team/reader',
    arn: 'arn:aws:sts::123456789012:assumed-role/reader/dbd7bf83-reader',
  },
  {
    name: 'cross-account',
    address: '127.96.0.2',
    role: 'arn:aws:iam::210987654321:role/shared',
    arn: 'arn:aws:sts::210987654321:assumed-role/shared/dcd7c116-shared',
  },
] as const;

describe('AWS clients as pods of podpass standalone', needs('moto', 'boto3', 'aws'), () => {
  const scope = suiteScope();
  const ports = new Map<string, number>();
  let stsUrl: string;

  before(
    async () => {
      const harness = await createHarness(scope);
      const [moto, cluster] = await Promise.all([startMoto(scope), startSmallCluster(scope, harness)]);
      stsUrl = moto.url;
      await cluster.createNamespace('team');
      for (const { name, address, role } of pods) {
        const annotations = { [roleKey]: role };
        await cluster.createPod({ name, namespace: 'team', annotations, nodeName, podIP: address });
      }
      for (const imds of ['v2-preferred', 'v2-required']) {
        const [port = 0] = await freePorts(1);
        ports.set(imds, port);
        const standalone = await startPodpass({
          scope,
          command: 'standalone',
          flags: [
            `--kubeconfig=${cluster.kubeconfig}`,
            `--node=${nodeName}`,
            '--listen-host=127.0.0.1',
            `--app-port=${port}`,
            `--base-role-arn=${roleBaseArn}`,
            '--session-name-format=kube2iam',
            // Nobody answers there: the real one must never be asked.
            '--metadata-addr=127.0.0.1:9',
            `--imds=${imds}`,
          ],
          // Keys of an IAM user, the region, and where AWS is, all by the variables that kube2iam's SDK reads.
          env: {
            AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
            AWS_SECRET_ACCESS_KEY: 'moto',
            AWS_REGION: region,
            AWS_ENDPOINT_URL_STS: stsUrl,
          },
        });
        await standalone.untilReady();
      }
    },
    { timeout: 100_000 },
  );

  const portOf = (imds: string) => ports.get(imds) ?? 0;

  for (const client of awsClients) {
    describe(client.name, () => {
      for (const { name, address, arn } of pods) {
        for (const door of ['v1', 'v2'] as const) {
          it(`is the role of ${name} through IMDS${door}`, bound, async () => {
            const options = { address, port: portOf('v2-preferred'), door, stsUrl };
            const { arn: got, stderr } = await runClient(scope, client, options);
            assert.equal(got, arn, stderr);
          });
        }
      }

      it('is the role where a session token is required', bound, async () => {
        const [{ address, arn }] = pods;
        const options = { address, port: portOf('v2-required'), door: 'v2', stsUrl } as const;
        const { arn: got, stderr } = await runClient(scope, client, options);
        assert.equal(got, arn, stderr);
      });
    });
  }
});
