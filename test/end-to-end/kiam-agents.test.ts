// Agents on kiam's own gRPC library with podpass' servers: the bytes that they read, how they find servers, and what
// becomes of their calls when servers end.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { needs } from '../parts/availability.ts';
import { freePorts } from '../parts/free-ports.ts';
import { permittedKey, roleKey } from './annotate.ts';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness, type PodpassServer } from './harness.ts';
import { type PeerAnswer, startPeerClient } from './kiam-peer.ts';
import { startSmallAws } from './small-aws.ts';
import { type SmallCluster, startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';
import { manyServers } from './tls-files.ts';

const bound = { timeout: 90_000 };
const reader = '127.96.0.1';
const credentialsCall = `GetPodCredentials/${reader}/reader`;
const everyCall = `GetPodRole/${reader},${credentialsCall},GetHealth`;

const role = { [roleKey]: 'reader' };
const here = { nodeName: 'node-1', hostIP: '127.0.0.1' };

async function addReader(cluster: SmallCluster, name: string, podIP: string): Promise<void> {
  await cluster.createPod({ ...here, name, namespace: 'team', podIP, annotations: role });
}

/** Agents run on 127.0.0.1, which is node-1's address; the last pod is of another node. */
async function addPods(cluster: SmallCluster): Promise<void> {
  await cluster.createNamespace('team', { [permittedKey]: '.*' });
  await cluster.createNamespace('closed');
  await addReader(cluster, 'reader', reader);
  await cluster.createPod({ ...here, name: 'none', namespace: 'team', podIP: '127.96.0.2', annotations: {} });
  await cluster.createPod({
    ...here,
    name: 'no',
    namespace: 'closed',
    podIP: '127.96.0.3',
    annotations: role,
  });
  const mistyped = { [roleKey]: 'mistyped' };
  await cluster.createPod({
    ...here,
    name: 'sts',
    namespace: 'team',
    podIP: '127.96.0.4',
    annotations: mistyped,
  });
  const there = { nodeName: 'node-2', hostIP: '127.0.0.77' };
  await cluster.createPod({
    ...there,
    name: 'far',
    namespace: 'team',
    podIP: '127.96.0.5',
    annotations: role,
  });
}

/** Servers of one cluster at one port of several addresses, which one name stands for. */
interface Servers {
  readonly harness: Harness;
  readonly dns: DnsServer;
  readonly cluster: SmallCluster;
  /** The flags of an agent that dials the name. */
  readonly dial: readonly string[];
  start(host: string, flags?: readonly string[]): Promise<PodpassServer>;
}

async function prepareServers(scope: ReturnType<typeof suiteScope>): Promise<Servers> {
  const harness = await createHarness(scope);
  const aws = await startSmallAws(scope, ['reader']);
  const cluster = await startSmallCluster(scope, harness);
  await addPods(cluster);
  const dns = await startDnsServer(scope);
  const [port = 0] = await freePorts(1);
  return {
    harness,
    dns,
    cluster,
    dial: [
      `--dns=${dns.address}`,
      `--server-address=${manyServers}:${port}`,
      '--gateway-timeout-creation=5s',
    ],
    async start(host, flags = []) {
      const { kubeconfig } = cluster;
      const server = await harness.startServer({
        kubeconfig,
        stsUrl: aws.url,
        env: aws.serverEnv,
        host,
        port,
        flags,
      });
      await server.untilReady();
      return server;
    },
  };
}

/** The text fields of a message: number to text. */
function readFields(message: Buffer): readonly (readonly [number, string])[] {
  const fields: [number, string][] = [];
  for (let at = 0; at < message.length; ) {
    const tag = message[at++] ?? 0;
    assert.equal(tag & 7, 2, 'a text');
    let length = message[at++] ?? 0;
    if (length >= 0x80) length = (length & 0x7f) | ((message[at++] ?? 0) << 7);
    fields.push([tag >> 3, message.toString('utf8', at, at + length)]);
    at += length;
  }
  return fields;
}

type Answers = readonly PeerAnswer[];

const failed = (answers: Answers) => answers.filter(({ code }) => code !== 'OK');
const tried = (answers: Answers) => answers.flatMap(({ failures }) => failures);
const hostsOf = (answers: Answers) => [...new Set(answers.map(({ peer }) => peer.split(':')[0]))].sort();

describe("agents on kiam's gRPC library with podpass' servers", needs('kiam-peer'), () => {
  const scope = suiteScope();
  let servers: Servers;
  let first: PodpassServer;
  let second: PodpassServer;

  const callAll = (flags: readonly string[]) =>
    startPeerClient(scope, servers.harness, [...servers.dial, ...flags]).done();

  before(async () => {
    servers = await prepareServers(scope);
    servers.dns.names.set(manyServers, ['127.0.0.1', '127.0.0.2']);
    [first, second] = await Promise.all([servers.start('127.0.0.1'), servers.start('127.0.0.2')]);
  }, bound);

  it('gives the bytes that a kiam server gives', bound, async () => {
    const [named, given, none, health] = await callAll([
      `--calls=GetPodRole/${reader},${credentialsCall},GetPodRole/127.96.0.2,GetHealth`,
    ]);
    assert.equal(named?.hex, Buffer.from('\n\x06reader').toString('hex'));
    assert.equal(none?.code, 'OK');
    assert.equal(none?.hex, '');
    assert.equal(health?.hex, Buffer.from('\n\x02ok').toString('hex'));
    const fields = readFields(Buffer.from(given?.hex ?? '', 'hex'));
    assert.deepEqual(
      fields.map(([number]) => number),
      [1, 2, 3, 4, 5, 6, 7],
    );
    const [code, type, key = '', , , until = '', since = ''] = fields.map(([, text]) => text);
    assert.deepEqual([code, type], ['Success', 'AWS-HMAC']);
    assert.match(key, /^ASIA/);
    for (const date of [until, since]) assert.match(date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it('fails with code Unknown and the texts of a kiam server', bound, async () => {
    const expected: Readonly<Record<string, RegExp>> = {
      'GetPodRole/127.96.0.9': /^pod not found$/,
      'GetPodCredentials/127.96.0.9/reader': /^no pod found$/,
      'GetPodCredentials/127.96.0.3/reader': /^forbidden by policy$/,
      [`GetPodCredentials/${reader}/admin`]: /^forbidden by policy$/,
      [`GetPodCredentials/${reader}`]: /^role can't be empty$/,
      'GetPodCredentials/127.96.0.4/mistyped': /^AccessDenied: /,
    };
    await Promise.all(
      Object.entries(expected).map(async ([call, text]) => {
        const [answer] = await callAll([`--calls=${call}`]);
        assert.equal(answer?.code, 'Unknown', `${call}: ${answer?.message}`);
        assert.match(answer.message, text, call);
      }),
    );
  });

  it('gives it the pods of the node whose address it has, and no others', bound, async () => {
    const calls = ['GetPodRole/127.96.0.5', 'GetPodCredentials/127.96.0.5/reader'];
    const answers = await Promise.all(calls.map((call) => callAll([`--calls=${call}`])));
    assert.deepEqual(
      answers.flat().map(({ code, message }) => `${code}: ${message}`),
      ['Unknown: pod not found', 'Unknown: no pod found'],
    );
    // Each of both is asked something that it serves.
    await callAll([`--calls=GetPodRole/${reader},GetPodRole/${reader}`]);
    const proven = await Promise.all(
      [first, second].map((server) =>
        server.metric('podpass_agent_calls_total', { proof: 'address', outcome: 'served' }),
      ),
    );
    assert.ok(
      proven.every((count) => count > 0),
      proven.join(),
    );
    assert.equal(await first.metric('podpass_agent_calls_total', { proof: 'certificate' }), 0);
  });

  it('is asked in turn with the other servers of its name', bound, async () => {
    const answers = await callAll([`--calls=${everyCall}`, '--for=1s', '--every=20ms']);
    assert.deepEqual(failed(answers), []);
    const here = answers.filter(({ peer }) => peer.startsWith('127.0.0.1:')).length;
    assert.ok(Math.abs(2 * here - answers.length) <= 2, `${here} of ${answers.length}`);
  });

  /** Agents under load, of which some try again as kiam's handlers do and some do not, while `change` goes on. */
  async function load(change: () => Promise<void>): Promise<{ retried: Answers; plain: Answers }> {
    const flags = [...servers.dial, `--calls=${everyCall}`, '--for=60s', '--every=0s', '--workers=16'];
    const retrying = startPeerClient(scope, servers.harness, [...flags, '--retry']);
    const single = startPeerClient(scope, servers.harness, flags);
    const both = ['127.0.0.1', '127.0.0.2'];
    const untilBothAreAsked = () =>
      eventually(() => {
        for (const agent of [retrying, single]) assert.deepEqual(hostsOf(agent.answers().slice(-20)), both);
      });
    await untilBothAreAsked();
    await change();
    await untilBothAreAsked();
    await Promise.all([retrying.stop(), single.stop()]);
    return { retried: retrying.answers(), plain: single.answers() };
  }

  it('fails no call while it drains and comes back', bound, async () => {
    const { retried, plain } = await load(async () => {
      await first.terminate();
      assert.equal(first.ended, 'ended with status 0');
      first = await servers.start('127.0.0.1');
    });
    assert.ok(plain.length > 200, `${plain.length} calls`);
    assert.deepEqual(failed(plain), []);
    assert.deepEqual(tried(retried), []);
  });

  it(
    'ends what it has begun when it drains, even the wait for a pod that is still to come',
    bound,
    async () => {
      const { harness, cluster, dial } = servers;
      const dns = await startDnsServer(scope);
      dns.names.set(manyServers, ['127.0.0.1']);
      const late = '127.96.0.8';
      const call = [`--dns=${dns.address}`, `--calls=GetPodCredentials/${late}/reader`];
      const started = () => first.metric('grpc_server_started_total', { grpc_method: 'GetPodCredentials' });
      const soFar = await started();
      const waiting = startPeerClient(scope, harness, [...dial, ...call]);
      await eventually(async () => assert.ok((await started()) > soFar, 'the call has arrived'));
      const ended = first.terminate();
      await eventually(() => assert.ok(first.log.some(({ msg }) => msg === 'stopping server')));
      await addReader(cluster, 'late', late);
      const [answer] = await waiting.done();
      assert.equal(answer?.code, 'OK', `${answer?.message}`);
      await ended;
      assert.equal(first.ended, 'ended with status 0');
      first = await servers.start('127.0.0.1');
    },
  );

  it(
    'fails those calls alone that it is killed over, and they succeed when they are tried again',
    bound,
    async () => {
      const { retried, plain } = await load(async () => {
        await second.kill();
        second = await servers.start('127.0.0.2');
      });
      assert.deepEqual(failed(retried), []);
      // At most the one that each worker has under way.
      assert.ok(failed(plain).length <= 16, `${failed(plain).length} failed`);
      for (const { code } of failed(plain)) assert.equal(code, 'Unavailable');
    },
  );
});

describe(
  "agents on kiam's gRPC library with a podpass server that ends connections soon",
  needs('kiam-peer'),
  () => {
    const scope = suiteScope();

    async function start(host: string, flags: readonly string[]): Promise<Servers> {
      const servers = await prepareServers(scope);
      servers.dns.names.set(manyServers, [host]);
      await servers.start(host, flags);
      return servers;
    }

    it('fails no call when they reach their age, not even one that is not tried again', bound, async () => {
      const ages = ['--grpc-max-connection-age-duration=1s', '--grpc-max-connection-age-grace-duration=1s'];
      const { harness, dial } = await start('127.0.0.3', ages);
      const load = [`--calls=${everyCall}`, '--for=5s', '--every=1ms', '--workers=16'];
      const agent = startPeerClient(scope, harness, [...dial, ...load]);
      const answers = await agent.done();
      assert.deepEqual(failed(answers), []);
      assert.ok(agent.connections() >= 3, `${agent.connections()} connections`);
    });

    it('fails no call when they are idle', bound, async () => {
      const { harness, dial } = await start('127.0.0.7', ['--grpc-max-connection-idle-duration=300ms']);
      // Before, while and after the connection is closed.
      const pauses = [250, 290, 295, 300, 305, 310, 350, 600];
      const agents = pauses.map((millis) =>
        startPeerClient(scope, harness, [...dial, '--calls=GetHealth', `--every=${millis}ms`, '--for=3s']),
      );
      for (const agent of agents) assert.deepEqual(failed(await agent.done()), []);
      assert.equal(agents[0]?.connections(), 1);
      assert.ok((agents.at(-1)?.connections() ?? 0) >= 3);
    });
  },
);

describe("agents on kiam's gRPC library for half a minute", {
  ...needs('kiam-peer'),
  concurrency: true,
}, () => {
  const scope = suiteScope();
  let servers: Servers;

  before(async () => {
    servers = await prepareServers(scope);
    servers.dns.names.set(manyServers, ['127.0.0.4', '127.0.0.5']);
    await Promise.all(
      ['127.0.0.4', '127.0.0.5'].map((host) => servers.start(host, ['--grpc-keepalive-time-duration=1s'])),
    );
  }, bound);

  it('may test a quiet connection as often as their library can', bound, async () => {
    // Which is every 10 s, whatever it is told: twice before the second call.
    const hasty = ['--grpc-keepalive-permit-without-stream', '--grpc-keepalive-time-duration=1s'];
    const calls = ['--calls=GetHealth', '--every=24s', '--for=25s'];
    const agent = startPeerClient(scope, servers.harness, [...servers.dial, ...hasty, ...calls]);
    const answers = await agent.done();
    assert.deepEqual(failed(answers), []);
    assert.equal(answers.length, 2);
    // One to each server, from the beginning to the end.
    assert.equal(agent.connections(), 2);
    assert.doesNotMatch(agent.log.join('\n'), /GoAway/i);
  });

  it('finds a server that took the place of one that is gone, when DNS tells of it', bound, async () => {
    const { harness, dial, start } = servers;
    const dns = await startDnsServer(scope);
    dns.names.set(manyServers, ['127.0.0.4', '127.0.0.6']);
    const leaving = await start('127.0.0.6');
    const load = ['--calls=GetHealth', '--every=50ms', '--for=60s', '--retry'];
    const agent = startPeerClient(scope, harness, [...dial, `--dns=${dns.address}`, ...load]);
    const lately = () => hostsOf(agent.answers().slice(-10));
    await eventually(() => assert.deepEqual(lately(), ['127.0.0.4', '127.0.0.6']));
    dns.names.set(manyServers, ['127.0.0.4', '127.0.0.5']);
    await leaving.kill();
    await eventually(() => assert.deepEqual(lately(), ['127.0.0.4']));
    // The library asks DNS once in 30 s.
    await eventually(() => assert.deepEqual(lately(), ['127.0.0.4', '127.0.0.5']), 45_000);
    assert.deepEqual(failed(agent.answers()), []);
  });
});
