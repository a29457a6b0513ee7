// podpass' agent with servers on kiam's own gRPC library, which has its own mind about pings, ages and endings.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { needs } from '../parts/availability.ts';
import { freePorts } from '../parts/free-ports.ts';
import type { PodAnswer } from './ask-agent.ts';
import { eventually } from './eventually.ts';
import { createHarness, type Harness, type PodpassAgent } from './harness.ts';
import { type PeerPod, type PeerServer, startPeerServer } from './kiam-peer.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 90_000 };
const nodeName = 'node-1';
const reader = '127.95.0.1';
const slow = '127.95.0.7';
const slowly = '127.95.0.8';
const tooManyPings = /too.many.pings/i;

/** Fields 1 to 7 of `Credentials`. */
const given = [
  'Success',
  'AWS-HMAC',
  'ASIAFROMKIAM',
  'kiam-secret-access-key',
  'kiam-session-token',
  '2099-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z',
] as const;
const granted = { role: 'reader', credentials: given };
const denied = 'AccessDenied: not authorized to perform sts:AssumeRole\n\tstatus code: 403, request id: 1';
const throttled = 'Throttling: Rate exceeded\n\tstatus code: 400, request id: 2';

const pods: Readonly<Record<string, PeerPod>> = {
  [reader]: granted,
  '127.95.0.2': { role: '' },
  '127.95.0.3': { role: 'admin', error: 'forbidden by policy' },
  '127.95.0.4': { role: 'mistyped', error: denied },
  '127.95.0.5': { role: 'busy', error: throttled },
  '127.95.0.6': { role: 'twice', error: 'multiple running pods found' },
  [slow]: { ...granted, delayMillis: 4_500 },
  [slowly]: { ...granted, delayMillis: 1_000 },
};
/** Enough of them that hardly any request is answered from what the agent keeps for a second. */
const many = Object.fromEntries(
  Array.from({ length: 200 }, (_, index) => [`127.95.1.${index + 1}`, granted]),
);

/** Connections that calls came on: looking whether a server is podpass' takes some, too. */
const connectionsUsed = (...servers: readonly PeerServer[]) =>
  new Set(servers.flatMap((server) => server.calls().map(({ peer }) => peer))).size;

/** What was not answered with credentials while `change` went on, and how many were. */
async function askThroughout(
  agent: PodpassAgent,
  change: () => Promise<void>,
): Promise<{ readonly failed: readonly (PodAnswer | string)[]; readonly served: number }> {
  const failed: (PodAnswer | string)[] = [];
  let served = 0;
  let isOver = false;
  const addresses = Object.keys(many);
  async function ask(worker: number): Promise<void> {
    for (let turn = worker; !isOver; turn += 4) {
      const answer = await agent.ask(addresses[turn % addresses.length] ?? '').catch(String);
      if (typeof answer === 'object' && answer.credentials?.AccessKeyId === 'ASIAFROMKIAM') served++;
      else failed.push(answer);
      await setTimeout(10);
    }
  }
  const asking = [0, 1, 2, 3].map(ask);
  await change().finally(() => {
    isOver = true;
  });
  await Promise.all(asking);
  return { failed, served };
}

describe("podpass' agent with servers on kiam's gRPC library", needs('kiam-peer'), () => {
  const scope = suiteScope();
  let harness: Harness;
  let agent: PodpassAgent;
  let ports: readonly number[];
  let first: PeerServer;
  let second: PeerServer;

  async function startAll(flags: readonly string[]): Promise<void> {
    [first, second] = await Promise.all([
      startPeerServer(scope, harness, ports[0] ?? 0, { ...pods, ...many }, flags),
      startPeerServer(scope, harness, ports[1] ?? 0, { ...pods, ...many }, flags),
    ]);
  }

  async function drainAndRestart(server: PeerServer): Promise<PeerServer> {
    await setTimeout(500);
    await server.drain();
    assert.equal(server.ended, 'ended with status 0');
    return startPeerServer(scope, harness, server.port, { ...pods, ...many });
  }

  before(async () => {
    harness = await createHarness(scope);
    ports = await freePorts(2);
    await startAll(['--grpc-keepalive-time-duration=1s']);
    // The hastiest that a kiam agent's flags can say.
    const hasty = ['--grpc-keepalive-time-duration=1s', '--grpc-keepalive-permit-without-stream'];
    agent = await harness.startAgent({ nodeName, serverPorts: ports, flags: ['--pod-wait=6s', ...hasty] });
    await agent.untilReady();
  }, bound);

  it('reads its messages and the texts of its errors', bound, async () => {
    const answer = await agent.ask(reader);
    assert.equal(answer.status, 200, answer.body);
    const { AccessKeyId, SecretAccessKey, Token, Expiration } = answer.credentials ?? {};
    assert.deepEqual([AccessKeyId, SecretAccessKey, Token, Expiration], given.slice(2, 6));
    const calls = first.calls().map(({ method, ip, role }) => `${method} ${ip} ${role}`);
    assert.ok(calls.includes(`GetPodRole ${reader} `), calls.join());
    assert.ok(calls.includes(`GetPodCredentials ${reader} reader`), calls.join());
    const expected = { 2: 404, 3: 403, 4: 403, 5: 503, 6: 503, 9: 503 };
    await Promise.all(
      Object.entries(expected).map(async ([last, status]) => {
        const { status: was, body } = await agent.ask(`127.95.0.${last}`);
        assert.equal(was, status, `127.95.0.${last}: ${body}`);
      }),
    );
  });

  it('is not taken for one that pings too often, however hasty it is told to be', bound, async () => {
    const answer = await agent.ask(slow);
    assert.equal(answer.status, 200, answer.body);
    // Without a call now, for as long as three pings would take.
    await setTimeout(3_500);
    assert.equal((await agent.ask('127.95.1.199')).status, 200);
    assert.doesNotMatch([...first.log, ...second.log].join('\n'), tooManyPings);
    assert.equal(connectionsUsed(first, second), 1);
  });

  it('fails no request while one of two is killed and comes back', bound, async () => {
    const { failed, served } = await askThroughout(agent, async () => {
      await setTimeout(500);
      await first.kill();
      await setTimeout(1_500);
      first = await startPeerServer(scope, harness, first.port, { ...pods, ...many });
      await setTimeout(500);
    });
    assert.deepEqual(failed, []);
    assert.ok(served > 50, `${served} were served`);
  });

  it('fails no request while one after the other is drained and comes back', bound, async () => {
    const { failed, served } = await askThroughout(agent, async () => {
      first = await drainAndRestart(first);
      second = await drainAndRestart(second);
      await setTimeout(500);
    });
    assert.deepEqual(failed, []);
    assert.ok(served > 50, `${served} were served`);
  });

  it('gets the answer to a call that a server has begun when it is told to end', bound, async () => {
    const serving = ({ calls }: PeerServer) => calls().some(({ ip, role }) => ip === slowly && role !== '');
    const answer = agent.ask(slowly);
    const server = await eventually(() => {
      const found = [first, second].find(serving);
      assert.ok(found, 'the call has arrived');
      return found;
    });
    await server.drain();
    const { status, body } = await answer;
    assert.equal(status, 200, body);
    assert.ok(![first, second].some((other) => other !== server && serving(other)), 'it was asked once');
  });
});

describe("podpass' agent with such a server that ends connections soon", needs('kiam-peer'), () => {
  const scope = suiteScope();

  async function start(flags: readonly string[]): Promise<{ server: PeerServer; agent: PodpassAgent }> {
    const harness = await createHarness(scope);
    const [port = 0] = await freePorts(1);
    const server = await startPeerServer(scope, harness, port, many, flags);
    const agent = await harness.startAgent({ nodeName, serverPorts: [port], flags: ['--pod-wait=6s'] });
    await agent.untilReady();
    return { server, agent };
  }

  it('fails no request when they reach their age', bound, async () => {
    const ages = ['--grpc-max-connection-age-duration=1s', '--grpc-max-connection-age-grace-duration=1s'];
    const { server, agent } = await start(ages);
    const { failed, served } = await askThroughout(agent, () => setTimeout(5_000));
    assert.deepEqual(failed, []);
    assert.ok(served > 50, `${served} were served`);
    assert.ok(connectionsUsed(server) >= 3, `${connectionsUsed(server)} connections`);
  });

  it('fails no request when they are idle', bound, async () => {
    const { server, agent } = await start(['--grpc-max-connection-idle-duration=300ms']);
    // Before, while and after the connection is closed.
    for (const [index, millis] of [250, 290, 295, 300, 305, 310, 350, 600].entries()) {
      assert.equal((await agent.ask(`127.95.1.${index + 1}`)).status, 200);
      await setTimeout(millis);
    }
    assert.ok(connectionsUsed(server) >= 3, `${connectionsUsed(server)} connections`);
  });
});
