import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { type ClientReadableStream, credentials, status } from '@grpc/grpc-js';
import { createFakeClock } from '../base/fake-clock.ts';
import { makeView } from '../broker/testing/objects.ts';
import { BrokerClient, type FindPodRequest, type FindPodResponse, type NodeEvent } from './gen/podpass.ts';
import { anyServer, startBrokerServer, until } from './testing/harness.ts';
import { unaryCall } from './unary-call.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const node = { nodeName: 'node-1', hostIp: '' };
const never = new AbortController().signal;

async function start(options: Parameters<typeof startBrokerServer>[0] = {}) {
  const clock = createFakeClock();
  const server = await startBrokerServer({ clock, ...options });
  const client = new BrokerClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  cleanups.push(
    () => server.server.close(),
    () => client.close(),
  );
  const find = (request: Partial<FindPodRequest>) =>
    unaryCall<FindPodResponse>(
      (done) => client.findPod({ node, address: '10.0.0.1', waitMillis: 800, ...request }, done),
      never,
    );
  return { ...server, clock, client, find };
}

function endOf(call: ClientReadableStream<NodeEvent>): Promise<status> {
  call.on('error', () => {});
  return new Promise((resolve) => call.on('status', ({ code }) => resolve(code)));
}

describe('WatchNode', () => {
  it('says that it is open before there is anything to tell', async () => {
    const { client, source } = await start();
    source.synced = false;
    const call = client.watchNode({ node, ...anyServer });
    await new Promise((resolve) => call.once('metadata', resolve));
    const ended = endOf(call);
    call.cancel();
    assert.equal(await ended, status.CANCELLED);
    await until('nobody is told any more', () => source.watching.length === 0);
  });

  const invalid = [
    undefined,
    { nodeName: '', hostIp: '' },
    { nodeName: 'n'.repeat(254), hostIp: '' },
    { nodeName: 'node-1', hostIp: '1'.repeat(254) },
  ];
  for (const bad of invalid) {
    it(`refuses a node that is none: ${JSON.stringify(bad)?.slice(0, 40)}`, async () => {
      const { client, source } = await start();
      const call = client.watchNode({ node: bad, ...anyServer });
      call.resume();
      assert.equal(await endOf(call), status.INVALID_ARGUMENT);
      assert.equal(source.watching.length, 0);
    });
  }

  it('sends the latest state alone to an agent that does not read', async () => {
    const { client, source } = await start();
    const filler = 'x'.repeat(10_000);
    const changes = 2_000;
    const call = client.watchNode({ node, ...anyServer });
    // The first message is taken; then nothing is, until the client is told to go on.
    await new Promise((resolve) => call.once('data', resolve));
    call.pause();
    for (let i = 1; i <= changes; i += 1) {
      source.set(makeView({ name: 'web', addresses: [String(i)], nodeName: filler }));
      if (i % 50 === 0) await new Promise(setImmediate);
    }
    const read: string[] = [];
    call.on('data', ({ event }: NodeEvent) => {
      if (event?.$case === 'pod') read.push(event.value.addresses.join());
    });
    call.resume();
    await until('the last state arrives', () => read.at(-1) === String(changes));
    assert.ok(read.length < changes / 2, `${read.length} of ${changes} states were sent`);
    const ended = endOf(call);
    call.cancel();
    await ended;
  });

  it('ends the stream of an agent that lets too many pods wait', async () => {
    const { client, source } = await start({ maxPendingPods: 50 });
    const call = client.watchNode({ node, ...anyServer });
    await new Promise((resolve) => call.once('data', resolve));
    call.pause();
    const filler = 'x'.repeat(10_000);
    for (let i = 0; source.watching.length > 0; i += 1) {
      assert.ok(i < 20_000, 'it goes on for ever');
      source.set(makeView({ name: `web-${i}`, nodeName: filler }));
      if (i % 50 === 0) await new Promise(setImmediate);
    }
    const ended = endOf(call);
    call.resume();
    assert.equal(await ended, status.RESOURCE_EXHAUSTED);
  });

  it('ends a stream of some age with OK, and not all at the same moment', async () => {
    const { client, clock } = await start({ maxStreamAgeMillis: 1_000 });
    const call = client.watchNode({ node, ...anyServer });
    const ended = endOf(call);
    call.resume();
    await until('the stream is open', () => clock.pending === 1);
    const age = clock.untilNext ?? 0;
    assert.ok(age >= 1_000 && age <= 1_200, `it ends after ${age} ms`);
    await clock.advance(age);
    assert.equal(await ended, status.OK);
  });
});

describe('FindPod', () => {
  it('sends every pod that claims the address', async () => {
    const { find, source } = await start();
    for (const name of ['web', 'db']) source.set(makeView({ name }));
    const answer = await find({});
    assert.ok(answer.kind === 'answered');
    assert.deepEqual(
      answer.response.pods.map(({ uid }) => uid),
      ['uid-web', 'uid-db'],
    );
  });

  it('waits five seconds at most, whatever it is asked for', async () => {
    const { find, source } = await start();
    await find({ waitMillis: 800 });
    await find({ waitMillis: 4_000_000_000 });
    assert.deepEqual(
      source.searches.map(({ waitMillis }) => waitMillis),
      [800, 5_000],
    );
  });

  it('tells the broker which node asks', async () => {
    const { find, source } = await start();
    await find({ node: { nodeName: '', hostIp: '192.168.0.1' } });
    assert.deepEqual(source.searches[0]?.node, { hostIp: '192.168.0.1' });
  });

  it('refuses a request of no node', async () => {
    const { find, source } = await start();
    const answer = await find({ node: undefined });
    assert.ok(answer.kind === 'failed' && answer.error.code === status.INVALID_ARGUMENT);
    assert.equal(source.searches.length, 0);
  });

  it('says INTERNAL and nothing more when the search fails', async () => {
    const { find, source } = await start();
    source.onFind = () => Promise.reject(new Error('something with a secret in it'));
    const answer = await find({});
    assert.ok(answer.kind === 'failed' && answer.error.code === status.INTERNAL);
    assert.ok(!answer.error.details.includes('secret'));
  });

  it('stops the search when the caller goes away', async () => {
    const { client, source } = await start();
    source.onFind = () => new Promise(() => {});
    const call = client.findPod({ node, address: '10.0.0.1', waitMillis: 800 }, () => {});
    await until('the search is under way', () => source.searches.length === 1);
    call.cancel();
    await until('the search is stopped', () => source.searches[0]?.signal.aborted === true);
  });
});
