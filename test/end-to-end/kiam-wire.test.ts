// Either half of kiam can be replaced first: podpass' agent with kiam's server, and kiam's agent with podpass' server.
// kiam's halves are played by code that shares nothing with podpass but, on one side, the generated messages.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { runCommand } from '../../src/sandbox/run-command.ts';
import { freePorts } from '../parts/free-ports.ts';
import { permittedKey, roleKey } from './annotate.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness, type PodpassAgent, type PodpassServer } from './harness.ts';
import { connectAsKiam, type KiamCall } from './kiam-client.ts';
import { type KiamServer, startKiamServer } from './kiam-server.ts';
import { assertNoSecrets } from './no-secrets.ts';
import { mainScript } from './podpass-process.ts';
import { type SmallAws, startSmallAws } from './small-aws.ts';
import { type SmallCluster, startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 60_000 };
const nodeName = 'node-1';
const address = '127.93.0.1';
const noRole = '127.93.0.2';
const forbidden = '127.93.0.3';
const refused = '127.93.0.4';
const stranger = '127.93.0.9';

/** The same pods for both halves: a reader, one without a role, one that policy forbids, one that STS refuses. */
async function addPods(cluster: SmallCluster): Promise<void> {
  await cluster.createNamespace('team', { [permittedKey]: '.*' });
  await cluster.createNamespace('closed');
  const pods = [
    { name: 'reader', namespace: 'team', podIP: address, annotations: { [roleKey]: 'reader' } },
    { name: 'no-role', namespace: 'team', podIP: noRole, annotations: {} },
    { name: 'forbidden', namespace: 'closed', podIP: forbidden, annotations: { [roleKey]: 'reader' } },
    { name: 'refused', namespace: 'team', podIP: refused, annotations: { [roleKey]: 'mistyped' } },
  ];
  for (const pod of pods) await cluster.createPod({ ...pod, nodeName, hostIP: '127.0.0.1' });
}

describe("podpass' agent with kiam's server", () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let cluster: SmallCluster;
  let kiam: KiamServer;
  let agent: PodpassAgent;
  let serverPort: number;

  before(async () => {
    harness = await createHarness(scope);
    aws = await startSmallAws(scope, ['reader']);
    cluster = await startSmallCluster(scope, harness);
    await addPods(cluster);
    [serverPort = 0] = await freePorts(1);
    kiam = await startKiamServer(scope, harness.tls, serverPort);
    kiam.pods.set(address, { role: 'reader', accessKeyId: 'ASIAKIAM' });
    kiam.pods.set(noRole, { role: '' });
    kiam.pods.set(forbidden, { role: 'admin', error: 'forbidden by policy' });
    kiam.pods.set(refused, {
      role: 'mistyped',
      error: 'AccessDenied: not authorized to perform sts:AssumeRole\n\tstatus code: 403, request id: 1',
    });
    agent = await harness.startAgent({ nodeName, serverPorts: [serverPort], flags: ['--pod-wait=2s'] });
    await agent.untilReady();
  }, bound);

  it('is ready, and says whose server it has', bound, async () => {
    const { status: code, body } = await agent.readyz();
    assert.equal(code, 200);
    assert.match(body, /connected to a kiam server/);
  });

  it('serves what the kiam server gives it, with and without a session token', bound, async () => {
    const answer = await agent.ask(address);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.role, 'reader');
    assert.equal(answer.credentials?.AccessKeyId, 'ASIAKIAM');
    const withToken = await agent.ask(address, await agent.token(address));
    assert.equal(withToken.credentials?.AccessKeyId, 'ASIAKIAM');
    assert.ok(kiam.calls.includes(`GetPodCredentials ${address} reader`));
  });

  it('answers what the kiam server refuses as podpass answers it', bound, async () => {
    assert.equal((await agent.ask(noRole)).status, 404);
    assert.equal((await agent.ask(forbidden)).status, 403);
    const answer = await agent.ask(refused);
    assert.equal(answer.status, 403, answer.body);
    assert.match(answer.body, /"Code":"AccessDenied"/);
    assert.equal((await agent.ask(stranger)).status, 503);
  });

  it("is fed by podpass' server as soon as that takes the place of kiam's", bound, async () => {
    await kiam.stop();
    const server = await harness.startServer({
      kubeconfig: cluster.kubeconfig,
      stsUrl: aws.url,
      env: aws.serverEnv,
      port: serverPort,
    });
    await server.untilReady();
    await eventually(async () => {
      assert.match((await agent.readyz()).body, /connected to localhost/);
      assert.notEqual((await agent.ask(address)).credentials?.AccessKeyId, 'ASIAKIAM');
    }, 30_000);
    const answer = await agent.ask(address);
    assert.equal(answer.role, 'reader');
    assert.equal(aws.issued('reader'), 1);
    assertNoSecrets(harness.processes, ['kiam-secret-access-key', 'kiam-session-token']);
  });
});

describe("kiam's agent with podpass' server", () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let server: PodpassServer;
  let call: KiamCall;

  before(async () => {
    harness = await createHarness(scope);
    aws = await startSmallAws(scope, ['reader']);
    const cluster = await startSmallCluster(scope, harness);
    await addPods(cluster);
    server = await harness.startServer({
      kubeconfig: cluster.kubeconfig,
      stsUrl: aws.url,
      env: aws.serverEnv,
    });
    await server.untilReady();
    call = connectAsKiam(scope, harness.tls, server.port);
  }, bound);

  const unknown = (details: string) => ({ kind: 'error', code: status.UNKNOWN, details }) as const;

  it('is told the role of a pod, and nothing for a pod without one', bound, async () => {
    assert.deepEqual(await call('GetPodRole', [address]), { kind: 'ok', fields: { 1: 'reader' } });
    assert.deepEqual(await call('GetPodRole', [noRole]), { kind: 'ok', fields: {} });
    assert.deepEqual(await call('GetPodRole', [forbidden]), { kind: 'ok', fields: { 1: 'reader' } });
  });

  it('is given credentials, for which the server asks STS by itself', bound, async () => {
    const reply = await call('GetPodCredentials', [address, 'reader']);
    assert.ok(reply.kind === 'ok', JSON.stringify(reply));
    const {
      1: code,
      2: type,
      3: key = '',
      4: secret = '',
      5: token = '',
      6: until = '',
      7: since = '',
    } = reply.fields;
    assert.deepEqual([code, type], ['Success', 'AWS-HMAC']);
    assert.match(key, /^ASIA/);
    assert.ok(secret.length > 20 && token.length > 20);
    for (const date of [until, since]) assert.match(date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Date.parse(until) > Date.parse(since));
    assert.equal(aws.issued('reader'), 1);
    assertNoSecrets(harness.processes, [secret, token]);
  });

  it('is refused in the very words that it looks for', bound, async () => {
    assert.deepEqual(await call('GetPodCredentials', [address, 'admin']), unknown('forbidden by policy'));
    assert.deepEqual(await call('GetPodCredentials', [forbidden, 'reader']), unknown('forbidden by policy'));
    const denied = await call('GetPodCredentials', [refused, 'mistyped']);
    assert.ok(denied.kind === 'error' && denied.code === status.UNKNOWN, JSON.stringify(denied));
    assert.match(denied.details, /^AccessDenied: /);
  });

  it('is told of a pod that nobody knows, once it has waited for it', bound, async () => {
    const [role, credentials] = await Promise.all([
      call('GetPodRole', [stranger]),
      call('GetPodCredentials', [stranger, 'reader']),
    ]);
    assert.deepEqual(role, unknown('pod not found'));
    assert.deepEqual(credentials, unknown('no pod found'));
  });

  it('finds the server well, and so does the health command', bound, async () => {
    assert.deepEqual(await call('GetHealth', []), { kind: 'ok', fields: { 1: 'ok' } });
    const args = [mainScript, 'health', ...harness.tls.agent, `--server-address=localhost:${server.port}`];
    const options = { bound: 20_000, signal: scope.signal, env: { PATH: process.env.PATH } };
    const ended = await runCommand(process.execPath, args, options);
    assert.ok(ended.kind === 'exited', JSON.stringify(ended));
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stderr, /healthy: ok/);
  });
});
