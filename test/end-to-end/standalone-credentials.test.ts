// A standalone node outside of EC2: each way to credentials of its own, no region, and no metadata service.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { account, role, serverArn, trust } from '../../src/sandbox/sts/sts.fixture.ts';
import { freePorts } from '../parts/free-ports.ts';
import { stopWith } from '../parts/scope.ts';
import { roleKey } from './annotate.ts';
import { callerAt } from './ask-agent.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness } from './harness.ts';
import { startPodpass } from './podpass-process.ts';
import { roleBaseArn, type SmallAws, startSmallAws, whoIs } from './small-aws.ts';
import { type SmallCluster, startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 60_000 };
const nodeName = 'node-1';
const address = '127.97.0.1';
const issuer = 'https://oidc.example';
const webArn = `${roleBaseArn}web`;

describe('podpass standalone outside of EC2', () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let cluster: SmallCluster;
  let silentPort: number;
  let webToken: string;

  before(async () => {
    harness = await createHarness(scope);
    const keys = await generateKeyPair('RS256');
    const jwks = { keys: [await exportJWK(keys.publicKey)] };
    aws = await startSmallAws(scope, [], {
      oidcProviders: new Map([[issuer, { getJwks: async () => jwks }]]),
    });
    const reader = `${roleBaseArn}reader`;
    const provider = `arn:aws:iam::${account}:oidc-provider/oidc.example`;
    for (const each of [
      role(reader, trust({ AWS: [serverArn, webArn] })),
      role(webArn, trust({ Federated: provider }, { Action: 'sts:AssumeRoleWithWebIdentity' })),
    ])
      aws.sts.roles.set(each.arn.arn, each);
    webToken = await new SignJWT({})
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(issuer)
      .setSubject('system:serviceaccount:kube-system:kube2iam')
      .setAudience('sts.amazonaws.com')
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(keys.privateKey);
    cluster = await startSmallCluster(scope, harness);
    await cluster.createNamespace('team');
    const annotations = { [roleKey]: 'reader' };
    await cluster.createPod({ name: 'reader', namespace: 'team', annotations, nodeName, podIP: address });
    silentPort = await listenAndSayNothing();
  }, bound);

  /** Where there is no metadata service its address leads nowhere, which is worse than a refusal. */
  async function listenAndSayNothing(): Promise<number> {
    const server = createServer((socket) => socket.on('error', () => {}));
    const [port = 0] = await freePorts(1);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    stopWith(scope, async () => {
      server.close();
    });
    return port;
  }

  async function writeFileOf(name: string, text: string): Promise<string> {
    const path = join(harness.folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  }

  /** Without a region, and with a metadata service that never answers. */
  async function start(env: Readonly<Record<string, string>>) {
    const [port = 0] = await freePorts(1);
    const standalone = await startPodpass({
      scope,
      command: 'standalone',
      flags: [
        `--kubeconfig=${cluster.kubeconfig}`,
        `--node=${nodeName}`,
        '--listen-host=127.0.0.1',
        `--app-port=${port}`,
        `--base-role-arn=${roleBaseArn}`,
        `--sts-endpoint=${aws.url}`,
        `--metadata-addr=127.0.0.1:${silentPort}`,
      ],
      env: {
        AWS_EC2_METADATA_DISABLED: 'false',
        // What the SDK itself would ask, were it to come so far.
        AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${silentPort}`,
        ...env,
      },
    });
    return { standalone, pod: callerAt(port) };
  }

  const ways: readonly [title: string, own: string, env: () => Promise<Record<string, string>>][] = [
    ['keys in its environment', 'podpass-server', async () => aws.serverEnv],
    [
      'a profile of a file',
      'podpass-server',
      async () => {
        const lines = Object.entries(aws.serverEnv).map(
          ([name, value]) => `${name.toLowerCase()} = ${value}`,
        );
        const path = await writeFileOf('credentials', `[node]\n${lines.join('\n')}\n`);
        return { AWS_SHARED_CREDENTIALS_FILE: path, AWS_PROFILE: 'node' };
      },
    ],
    [
      'web identity',
      'web',
      async () => ({
        AWS_WEB_IDENTITY_TOKEN_FILE: await writeFileOf('token', webToken),
        AWS_ROLE_ARN: webArn,
        AWS_ROLE_SESSION_NAME: 'node-1',
      }),
    ],
  ];

  for (const [title, own, env] of ways) {
    it(`is healthy and serves with ${title}`, bound, async () => {
      const { standalone, pod } = await start(await env());
      await standalone.untilReady();
      const answer = await pod.ask(address);
      assert.ok(answer.credentials, `${answer.status}: ${answer.body}`);
      assert.match(await whoIs(aws.url, answer.credentials), /:assumed-role\/reader\/kiam-kiam$/);
      assert.equal((await pod.request(address, '/healthz')).status, 200);
      assert.equal((await standalone.readyz()).status, 200);
      await eventually(() => {
        const said = standalone.log.find(({ msg }) => msg === 'calling STS as');
        assert.ok(String(said?.arn).includes(`:assumed-role/${own}/`), JSON.stringify(said));
      });
      await standalone.terminate();
    });
  }

  it('stays healthy without any credentials, and says what is missing', bound, async () => {
    const { standalone, pod } = await start({});
    await eventually(async () => assert.equal((await pod.request(address, '/healthz')).status, 200), 20_000);
    await eventually(() => {
      assert.ok(
        standalone.log.some(({ msg }) => msg?.includes('podpass has no AWS credentials of its own')),
        JSON.stringify(standalone.log),
      );
    });
    const { status } = await pod.ask(address);
    assert.ok(status >= 500, `${status}`);
    await standalone.terminate();
  });
});
