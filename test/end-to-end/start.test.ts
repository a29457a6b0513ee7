// What can be seen of a server before it can do its work. Kubernetes sends it agents as soon as it says it is ready.
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { before, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createEc2Metadata } from '../../src/sandbox/ec2-metadata/create-ec2-metadata.ts';
import { account, serverArn } from '../../src/sandbox/sts/sts.fixture.ts';
import { freePorts } from '../parts/free-ports.ts';
import type { Scope } from '../parts/scope.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness, type PodpassServer } from './harness.ts';
import { region, type SmallAws, startSmallAws } from './small-aws.ts';
import { type SmallCluster, startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 60_000 };

/** An EC2 metadata service that takes connections and says nothing until it is let. */
interface SlowMetadata {
  readonly url: string;
  answer(): void;
}

async function startSlowMetadata(scope: Required<Scope>, { sts }: SmallAws): Promise<SlowMetadata> {
  const metadata = createEc2Metadata({
    clock: systemClock,
    random: systemRandom,
    instance: {
      instanceId: 'i-0123456789abcdef0',
      accountId: account,
      roleArn: serverArn,
      region,
      localIpv4: '127.0.0.1',
      userData: '',
    },
    issueCredentials: () => sts.issueFor(serverArn, { sessionName: 'i-0123456789abcdef0' }),
    httpTokens: 'optional',
  });
  const { port: target, close } = await metadata.listen('127.0.0.1', 0);
  scope.after(close);
  const waiting = new Set<Socket>();
  let silent = true;

  function join(client: Socket): void {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.pipe(upstream).pipe(client);
  }

  const [port] = await freePorts(1);
  const server = createServer((client) => {
    if (silent) waiting.add(client.on('error', () => {}));
    else join(client);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  scope.after(async () => {
    for (const client of waiting) client.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}`,
    answer() {
      silent = false;
      for (const client of waiting) join(client);
    },
  };
}

describe('a server that is still starting', () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let cluster: SmallCluster;

  before(async () => {
    harness = await createHarness(scope);
    aws = await startSmallAws(scope, []);
    cluster = await startSmallCluster(scope, harness);
  }, bound);

  /** Starts a server that first asks where it is, of a metadata service that lets it wait. */
  async function startSlowly(): Promise<{ server: PodpassServer; metadata: SlowMetadata }> {
    const metadata = await startSlowMetadata(scope, aws);
    const server = await harness.startServer({
      kubeconfig: cluster.kubeconfig,
      stsUrl: aws.url,
      env: aws.serverEnv,
      flags: ['--role-base-arn-autodetect', `--metadata-endpoint=${metadata.url}`],
    });
    return { server, metadata };
  }

  it('is alive and not ready until it listens', bound, async () => {
    const { server, metadata } = await startSlowly();
    const { status, body } = await eventually(() => server.readyz());
    assert.equal(status, 503, body);
    assert.match(body, /^\[-\]start: under way\n/);
    metadata.answer();
    await server.untilReady();
    const report = await server.readyz();
    assert.match(report.body, /^\[\+\]start: done\n/);
    assert.match(report.body, /^\[\+\]pod watch: in touch, 0 objects$/m);
  });

  it('ends at once when it is asked to, without a stack', bound, async () => {
    const { server } = await startSlowly();
    await eventually(() => server.readyz());
    await server.terminate();
    assert.equal(server.ended, 'ended with status 143');
    assert.deepEqual(
      server.log.filter(({ level }) => level === 'crash'),
      [],
    );
  });
});
