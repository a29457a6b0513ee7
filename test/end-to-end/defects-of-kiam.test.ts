// What ended a kiam server, or made it useless, done to a real podpass server: docs/kiam-defects.md lists them all.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { STSClient } from '@aws-sdk/client-sts';
import { permittedKey, roleKey } from './annotate.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness, type PodpassAgent, type PodpassServer } from './harness.ts';
import { connectAsKiam, type KiamCall } from './kiam-client.ts';
import { type SmallAws, startSmallAws } from './small-aws.ts';
import { type SmallCluster, startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 60_000 };
const nodeName = 'node-1';
const [well, late, brokenRole, orphan] = ['127.97.0.1', '127.97.0.2', '127.97.0.3', '127.97.0.4'];

describe('one bad object', () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let cluster: SmallCluster;
  let server: PodpassServer;
  let agent: PodpassAgent;
  let call: KiamCall;

  function addPod(name: string, podIP: string, role: string, namespace = 'team') {
    const annotations = { [roleKey]: role };
    return cluster.createPod({ name, namespace, annotations, nodeName, podIP, hostIP: '127.0.0.1' });
  }

  before(async () => {
    harness = await createHarness(scope);
    aws = await startSmallAws(scope, ['reader', 'writer', 'late']);
    cluster = await startSmallCluster(scope, harness);
    await cluster.createNamespace('team', { [permittedKey]: '.*' });
    // There before the server: kiam then never began to serve.
    await addPod('broken', brokenRole, 'arn:x');
    await addPod('well', well, 'reader');
    server = await harness.startServer({
      kubeconfig: cluster.kubeconfig,
      stsUrl: aws.url,
      env: aws.serverEnv,
    });
    agent = await harness.startAgent({ nodeName, serverPorts: [server.port], flags: ['--pod-wait=1s'] });
    call = connectAsKiam(scope, harness.tls, server.port);
    await Promise.all([server.untilReady(), agent.untilReady()]);
  }, bound);

  it('a role that is no ARN stops nobody else, at the start or later', bound, async () => {
    assert.equal((await agent.ask(well)).role, 'reader');
    assert.equal((await agent.ask(brokenRole)).status, 403);
    await addPod('broken-too', '127.97.0.5', 'arn:');
    await addPod('late', late, 'late');
    await eventually(async () => assert.equal((await agent.ask(late)).status, 200));
    assert.equal(server.ended, undefined);
  });

  it('a node full of pods has all of them served', bound, async () => {
    const addresses = Array.from({ length: 110 }, (_, number) => `127.98.0.${number + 1}`);
    for (const [number, address] of addresses.entries()) {
      await addPod(`many-${number}`, address, number % 2 === 0 ? 'reader' : 'writer');
    }
    await eventually(async () => {
      const roles = await Promise.all(addresses.map(async (address) => (await agent.ask(address)).role));
      assert.deepEqual(
        roles,
        addresses.map((_, number) => (number % 2 === 0 ? 'reader' : 'writer')),
      );
    });
    assert.equal(aws.issued('writer'), 1);
  });

  it('a pod whose namespace the server cannot see gets nothing, and the server lives', bound, async () => {
    // A namespace that is gone while its pod is still there: what kiam's server dereferenced.
    await cluster.createNamespace('vanishing', { [permittedKey]: '.*' });
    await addPod('orphan', orphan, 'writer', 'vanishing');
    await eventually(async () => assert.equal((await agent.ask(orphan)).status, 200));
    await cluster.request('DELETE', '/api/v1/namespaces/vanishing');
    await eventually(async () => assert.notEqual((await agent.ask(orphan)).status, 200));
    const reply = await call('GetPodCredentials', [orphan, 'writer']);
    assert.equal(reply.kind, 'error');
    assert.equal(server.ended, undefined);
    assert.equal((await agent.ask(well)).status, 200);
  });
});

describe('endpoints of STS', () => {
  const cases: [region: string, host: string][] = [
    ['eu-west-1', 'sts.eu-west-1.amazonaws.com'],
    ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
    ['us-iso-east-1', 'sts.us-iso-east-1.c2s.ic.gov'],
    ['us-isob-east-1', 'sts.us-isob-east-1.sc2s.sgov.gov'],
  ];
  for (const [region, host] of cases) {
    it(`are the SDK's: ${host} in ${region}`, () => {
      const client = new STSClient({ region });
      const provide = client.config.endpointProvider;
      assert.equal(provide({ Region: region, UseFIPS: false, UseDualStack: false }).url.host, host);
      client.destroy();
    });
  }
});
