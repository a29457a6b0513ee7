import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ClientUnaryCall, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { createFakeClock } from '../base/fake-clock.ts';
import { makeView } from '../broker/testing/objects.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import { podToMessage } from './convert.ts';
import type { BrokerClient, FindPodRequest, FindPodResponse, Pod } from './gen/podpass.ts';
import { createPodFinder } from './pod-finder.ts';
import { createPodLedger } from './pod-ledger.ts';
import { createRecordingSink } from './testing/harness.ts';

type Callback = (error: ServiceError | null, response: FindPodResponse) => void;

/** A server that a test answers for, call by call. */
function createFakeClient() {
  const calls: { readonly request: FindPodRequest; cancelled: boolean; readonly reply: Callback }[] = [];
  const client = {
    findPod(request: FindPodRequest, _metadata: Metadata, reply: Callback) {
      const call = { request, reply, cancelled: false };
      calls.push(call);
      const cancel = () => {
        call.cancelled = true;
        fail(reply, status.CANCELLED);
      };
      return { cancel } as ClientUnaryCall;
    },
  } as unknown as BrokerClient;
  return { client, calls };
}

function fail(reply: Callback, code: status): void {
  reply(Object.assign(new Error('no'), { code, details: 'no' }) as ServiceError, { pods: [] });
}

function setUp() {
  const clock = createFakeClock();
  const sink = createRecordingSink();
  const ledger = createPodLedger(sink, clock);
  ledger.begin();
  const finder = createPodFinder({
    metadata: () => new Metadata(),
    node: { nodeName: 'node-1' },
    ledger,
    clock,
    logger: createSilentLogger(),
  });
  const caller = new AbortController();
  const find = (waitMillis = 800) => finder.find('10.0.0.1', { waitMillis, signal: caller.signal });
  return { clock, sink, finder, caller, find };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const web = makeView({ name: 'web' });
const found: FindPodResponse = { pods: [podToMessage(web, 0)] };

describe('a search', () => {
  it('gives the server what is left of the time', async () => {
    const { clock, finder, find } = setUp();
    const { client, calls } = createFakeClient();
    const search = find(800);
    await clock.advance(300);
    finder.connected(client);
    await turn();
    assert.deepEqual(calls[0]?.request, {
      node: { nodeName: 'node-1', hostIp: '' },
      address: '10.0.0.1',
      waitMillis: 500,
    });
    calls[0]?.reply(null, found);
    assert.deepEqual(await search, [web]);
  });

  it('asks the next server when the one it asked is gone', async () => {
    const { clock, finder, find, sink } = setUp();
    const [first, second] = [createFakeClient(), createFakeClient()];
    finder.connected(first.client);
    const search = find();
    await turn();
    finder.disconnected(first.client);
    const [call] = first.calls;
    assert.ok(call);
    fail(call.reply, status.UNAVAILABLE);
    await clock.advance(50);
    finder.connected(second.client);
    await turn();
    assert.equal(second.calls.length, 1);
    second.calls[0]?.reply(null, found);
    assert.deepEqual(await search, [web]);
    assert.deepEqual([...sink.held.keys()], ['uid-web']);
  });

  it('asks the same server again after a moment when there is no other', async () => {
    const { clock, finder, find } = setUp();
    const { client, calls } = createFakeClient();
    finder.connected(client);
    const search = find();
    await turn();
    assert.ok(calls[0]);
    fail(calls[0].reply, status.UNAVAILABLE);
    await clock.advance(99);
    assert.equal(calls.length, 1);
    await clock.advance(1);
    assert.equal(calls.length, 2);
    calls[1]?.reply(null, found);
    assert.deepEqual(await search, [web]);
  });

  it('does not ask for ever: the time is the time, however often it fails', async () => {
    const { clock, finder, find } = setUp();
    const { client, calls } = createFakeClient();
    finder.connected(client);
    const search = find(350);
    for (let i = 0; i < 4; i += 1) {
      await turn();
      const call = calls[i];
      if (call) fail(call.reply, status.UNAVAILABLE);
      await clock.advance(100);
    }
    assert.deepEqual(await search, []);
    assert.ok(calls.length >= 3 && calls.length <= 4, `${calls.length} calls`);
    assert.equal(clock.pending, 0);
  });

  for (const code of [
    status.UNIMPLEMENTED,
    status.INVALID_ARGUMENT,
    status.INTERNAL,
    status.PERMISSION_DENIED,
  ]) {
    it(`takes no for an answer: ${status[code]}`, async () => {
      const { finder, find } = setUp();
      const { client, calls } = createFakeClient();
      finder.connected(client);
      const search = find();
      await turn();
      assert.ok(calls[0]);
      fail(calls[0].reply, code);
      assert.deepEqual(await search, []);
      assert.equal(calls.length, 1);
    });
  }

  it('finds nobody rather than one of several when another one cannot be understood', async () => {
    const { finder, find, sink } = setUp();
    const { client, calls } = createFakeClient();
    finder.connected(client);
    const search = find();
    await turn();
    const other: Pod = { ...podToMessage(makeView({ name: 'other' }), 0), decision: undefined };
    calls[0]?.reply(null, { pods: [podToMessage(web, 0), other] });
    assert.deepEqual(await search, []);
    assert.equal(sink.held.size, 0);
  });

  it('cancels its call when the server overstays its time', async () => {
    const { clock, finder, find } = setUp();
    const { client, calls } = createFakeClient();
    finder.connected(client);
    const search = find(800);
    await clock.advance(800 + 250);
    assert.deepEqual(await search, []);
    assert.equal(calls[0]?.cancelled, true);
  });

  it('cancels its call when the caller goes away', async () => {
    const { finder, find, caller } = setUp();
    const { client, calls } = createFakeClient();
    finder.connected(client);
    const search = find(800);
    await turn();
    caller.abort(new Error('gone'));
    await assert.rejects(search, /gone/);
    assert.equal(calls[0]?.cancelled, true);
  });

  it('of no time at all asks nobody', async () => {
    const { finder, find } = setUp();
    const { client, calls } = createFakeClient();
    finder.connected(client);
    assert.deepEqual(await find(0), []);
    assert.equal(calls.length, 0);
  });

  it('is not confused by the late end of a connection before', async () => {
    const { finder, find } = setUp();
    const [first, second] = [createFakeClient(), createFakeClient()];
    finder.connected(first.client);
    finder.connected(second.client);
    finder.disconnected(first.client);
    const search = find();
    await turn();
    second.calls[0]?.reply(null, found);
    assert.deepEqual(await search, [web]);
  });
});
