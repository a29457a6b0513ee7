// What an operator fears at 3 a.m.: each part is taken away in turn, and pods go on getting what they may have. The
// server and the agent are real processes; cluster and STS are the sandbox's, in this process, because those can be
// told to fail.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { annotatePod, permittedKey, roleKey } from './annotate.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness, type PodpassAgent, type PodpassServer } from './harness.ts';
import { assertNoSecrets } from './no-secrets.ts';
import { type SmallAws, startSmallAws, whoIs } from './small-aws.ts';
import { type SmallCluster, startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 90_000 };
const nodeName = 'node-1';
const roles = ['web', 'jobs', 'late', 'slow', 'busy', 'away', 'short', 'back', 'spare'];

/** Two pods that are there from the beginning to the end. */
const web = '127.80.0.1';
const jobs = '127.80.0.2';
let lastAddress = 9;
const newAddress = () => `127.80.0.${++lastAddress}`;

describe('while parts are away', () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let cluster: SmallCluster;
  let server: PodpassServer;
  let agent: PodpassAgent;

  before(async () => {
    harness = await createHarness(scope);
    aws = await startSmallAws(scope, roles);
    cluster = await startSmallCluster(scope, harness);
    await cluster.createNamespace('team', { [permittedKey]: '.*' });
    await addPod('web', web);
    await addPod('jobs', jobs);
    server = await startServer();
    agent = await startAgent();
    await Promise.all([server.untilReady(), agent.untilReady()]);
  }, bound);

  function addPod(name: string, podIP: string, role = name) {
    return cluster.createPod({
      name,
      namespace: 'team',
      annotations: { [roleKey]: role },
      nodeName,
      podIP,
      hostIP: '127.0.0.1',
    });
  }

  function startServer(port?: number): Promise<PodpassServer> {
    return harness.startServer({
      kubeconfig: cluster.kubeconfig,
      stsUrl: aws.url,
      env: aws.serverEnv,
      ...(port === undefined ? {} : { port }),
    });
  }

  function startAgent(
    options: { port?: number; serverPorts?: readonly number[] } = {},
  ): Promise<PodpassAgent> {
    // Longer than a client waits: on a busy machine nothing here may be answered 503 for lack of time alone.
    return harness.startAgent({ nodeName, serverPorts: [server.port], flags: ['--pod-wait=3s'], ...options });
  }

  /** The access key that a pod is served, which must be there at once. */
  async function keyOf(address: string, role: string, token?: string): Promise<string> {
    const answer = await agent.ask(address, token);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.role, role);
    return answer.credentials?.AccessKeyId ?? '';
  }

  /** Asks all the time, as a busy pod, until told to stop. Every answer must be credentials of this role. */
  function askWithoutPause(address: string, role: string): () => Promise<number> {
    let stopped = false;
    let asked = 0;
    const asking = (async () => {
      while (!stopped) {
        await keyOf(address, role);
        asked += 1;
      }
    })();
    // Its failure is thrown by whoever stops it.
    asking.catch(() => {});
    return async () => {
      stopped = true;
      await asking;
      return asked;
    };
  }

  it('serves each pod its own role to begin with', bound, async () => {
    const { credentials } = await agent.ask(web);
    assert.ok(credentials);
    assert.equal(await whoIs(aws.url, credentials), 'arn:aws:sts::123456789012:assumed-role/web/kiam-kiam');
    await keyOf(jobs, 'jobs');
    assert.equal(aws.issued('web'), 1);
  });

  it('serves on from memory while the server is dead, and says so', bound, async () => {
    const [webKey, jobsKey] = [await keyOf(web, 'web'), await keyOf(jobs, 'jobs')];
    const token = await agent.token(web);
    await server.kill();
    const { body } = await eventually(async () => {
      const report = await agent.readyz();
      assert.match(report.body, /no server for .*; answering from memory/);
      return report;
    });
    assert.match(body, /ok/);
    assert.equal((await agent.readyz()).status, 200);
    assert.equal(await keyOf(web, 'web'), webKey);
    assert.equal(await keyOf(web, 'web', token), webKey);
    assert.equal(await keyOf(jobs, 'jobs', await agent.token(jobs)), jobsKey);

    const stranger = newAddress();
    await addPod('late', stranger);
    const answer = await agent.ask(stranger);
    assert.equal(answer.status, 503, 'a pod that nobody told it of');
    assert.equal(answer.headers['retry-after'], '1');
    assert.match(answer.body, /no running pod is known at 127\.80\.0\.\d+ yet/);
    assert.ok(answer.millis > 2_900 && answer.millis < 8_000, `held for ${answer.millis} ms`);

    server = await startServer(server.port);
    await eventually(async () => assert.equal((await agent.ask(stranger)).status, 200));
    assert.equal((await agent.ask(stranger)).role, 'late');
  });

  it('has all its pods back after a restart of the agent, and holds callers meanwhile', bound, async () => {
    const token = await agent.token(web);
    const webKey = await keyOf(web, 'web');
    const issuedBefore = aws.issued();
    await agent.kill();
    agent = await startAgent({ port: agent.port });
    // The first connection it accepts, long before it can know anything.
    const first = await eventually(() => agent.ask(web, token));
    assert.equal(first.status, 200, first.body);
    assert.equal(
      first.credentials?.AccessKeyId,
      webKey,
      'the token from before is good, and so are the credentials',
    );
    await keyOf(jobs, 'jobs');
    assert.equal((await agent.ask(jobs, token)).status, 401, "another pod's token is none");
    assert.equal(aws.issued(), issuedBefore, 'no call of STS');
    await agent.untilReady();
  });

  it('goes on when server and agent are both killed and started again', bound, async () => {
    const webKey = await keyOf(web, 'web');
    await Promise.all([server.kill(), agent.kill()]);
    const { port } = agent;
    // The agent first: it has nobody to ask yet.
    agent = await startAgent({ port });
    const held = eventually(() => agent.ask(web));
    server = await startServer(server.port);
    const { status } = await held;
    assert.ok(status === 200 || status === 503, `held, or told to try again: ${status}`);
    await eventually(() => keyOf(web, 'web'));
    assert.notEqual(await keyOf(web, 'web'), webKey, 'nothing of the old processes was left on disk');
    await Promise.all([server.untilReady(), agent.untilReady()]);
  });

  it('refuses no request while its server is replaced as a rollout does it', bound, async () => {
    const stop = askWithoutPause(web, 'web');
    const stopToo = askWithoutPause(jobs, 'jobs');
    const old = server;
    await old.terminate();
    assert.equal(old.ended, 'ended with status 0');
    server = await startServer(old.port);
    await server.untilReady();
    await eventually(async () => assert.equal(await agent.metric('podpass_feed_connected'), 1));
    assert.ok((await stop()) > 10);
    assert.ok((await stopToo()) > 10);
  });

  it('is fed by the second server when the first is killed', bound, async () => {
    const spare = await startServer();
    await spare.untilReady();
    await agent.terminate();
    assert.equal(agent.ended, 'ended with status 0');
    agent = await startAgent({ port: agent.port, serverPorts: [server.port, spare.port] });
    await agent.untilReady();
    assert.equal(await spare.metric('podpass_feed_nodes'), 0, 'the first one feeds it');
    assert.equal(await spare.metric('kiam_sts_cacheSize'), 0, 'so the second one asked for nothing');

    const stop = askWithoutPause(web, 'web');
    await server.kill();
    await eventually(async () => assert.equal(await spare.metric('podpass_feed_nodes'), 1));
    const address = newAddress();
    await addPod('spare', address);
    await eventually(() => keyOf(address, 'spare'));
    assert.ok((await stop()) > 0);

    // Back to one server, at the old place.
    server = await startServer(server.port);
    await server.untilReady();
    await spare.terminate();
    await eventually(async () => assert.equal(await server.metric('podpass_feed_nodes'), 1), 30_000);
    await keyOf(address, 'spare');
  });

  it(
    'serves on from memory when both servers are killed, and is fed by the one that comes back',
    bound,
    async () => {
      let spare = await startServer();
      await spare.untilReady();
      await agent.terminate();
      agent = await startAgent({ port: agent.port, serverPorts: [server.port, spare.port] });
      await agent.untilReady();
      const stop = askWithoutPause(web, 'web');
      await Promise.all([server.kill(), spare.kill()]);
      await eventually(async () => assert.match((await agent.readyz()).body, /answering from memory/));
      await keyOf(jobs, 'jobs');
      spare = await startServer(spare.port);
      await eventually(async () => assert.equal(await spare.metric('podpass_feed_nodes'), 1), 30_000);
      assert.ok((await stop()) > 0);

      server = await startServer(server.port);
      await server.untilReady();
      await spare.terminate();
      await eventually(async () => assert.equal(await server.metric('podpass_feed_nodes'), 1), 30_000);
    },
  );

  it('gives a new pod nothing while STS is away, and its role soon after', bound, async () => {
    const mend = aws.sts.faults.add({ kind: 'reset' });
    const address = newAddress();
    await addPod('away', address);
    const refused = await eventually(async () => {
      const answer = await agent.ask(address);
      assert.match(answer.body, /CredentialsUnavailable/);
      return answer;
    });
    assert.equal(refused.status, 503);
    assert.equal(refused.role, 'away', 'the list names the role all the same');
    assert.equal(refused.headers['retry-after'], '1');
    await keyOf(web, 'web');
    mend();
    await eventually(() => keyOf(address, 'away'));
  });

  it('holds a caller while STS is slow', bound, async () => {
    const restore = aws.sts.faults.add({ kind: 'latency', millis: 400 });
    const address = newAddress();
    await addPod('slow', address);
    const answer = await agent.ask(address);
    restore();
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.role, 'slow');
    assert.equal(aws.called('slow'), 1);
  });

  it('gets through when STS throttles, without hammering it', bound, async () => {
    aws.sts.faults.add({ kind: 'throttle', times: 2 });
    const address = newAddress();
    await addPod('busy', address);
    await eventually(() => keyOf(address, 'busy'));
    assert.equal(aws.called('busy'), 3);
    assert.deepEqual(aws.sts.faults.active, []);
  });

  it('serves credentials while they are good, and not when they are about to end', bound, async () => {
    // Good for two seconds longer than the minute that a client needs.
    const restoreLength = aws.sts.faults.add({ kind: 'early-expiry', seconds: 63, announced: true });
    const address = newAddress();
    await addPod('short', address);
    const key = await eventually(() => keyOf(address, 'short'));
    const mend = aws.sts.faults.add({ kind: 'server-error', status: 503 });
    assert.equal(await keyOf(address, 'short'), key);
    await eventually(async () => assert.equal((await agent.ask(address)).status, 503));
    restoreLength();
    mend();
    await eventually(async () => assert.notEqual(await keyOf(address, 'short'), key), 30_000);
  });

  it('serves on while the API server is away, and catches up with what happened', bound, async () => {
    const stop = askWithoutPause(web, 'web');
    await cluster.stopListening();
    await eventually(async () => assert.match((await server.readyz()).body, /pod watch: .*out of touch/));
    assert.equal((await server.readyz()).status, 200, 'what it knows goes on being served');

    await agent.kill();
    // Nobody can have been answered while there was no agent.
    await stop().catch(() => {});
    agent = await startAgent({ port: agent.port });
    assert.equal(
      (await eventually(() => agent.ask(web))).status,
      200,
      'the server tells a new agent all it knows',
    );

    await cluster.listenAgain();
    const address = newAddress();
    await addPod('back', address);
    await eventually(() => keyOf(address, 'back'));
    await cluster.deletePod('team', 'back');
    await eventually(async () => assert.equal((await agent.ask(address)).status, 503));
  });

  it('follows the watch across cuts and versions that the API server has forgotten', bound, async () => {
    const { pid } = server;
    assert.ok(cluster.api.faults.cutWatches() >= 2);
    await annotatePod(cluster, 'team', 'web', { [roleKey]: 'back' });
    await eventually(() => keyOf(web, 'back'));
    const relists = await server.metric('podpass_watch_relists_total', { reason: 'expired' });
    cluster.api.faults.expireHistory();
    cluster.api.faults.cutWatches();
    await annotatePod(cluster, 'team', 'web', { [roleKey]: 'web' });
    await eventually(() => keyOf(web, 'web'));
    await eventually(async () =>
      assert.ok((await server.metric('podpass_watch_relists_total', { reason: 'expired' })) > relists),
    );
    assert.equal(server.pid, pid);
    assert.equal(server.ended, undefined);
  });

  it('wrote no secret into any log, and no line that is not JSON', async () => {
    const { credentials } = await agent.ask(web);
    const secrets = [
      aws.serverEnv.AWS_SECRET_ACCESS_KEY,
      aws.serverEnv.AWS_SESSION_TOKEN,
      credentials?.SecretAccessKey,
      credentials?.Token,
    ];
    assertNoSecrets(harness.processes, secrets);
  });
});
