import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { type handleServerStreamingCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { makeView } from '../broker/testing/objects.ts';
import { podToMessage } from './convert.ts';
import { BrokerService, type NodeEvent, Pod } from './gen/podpass.ts';
import { startAgent, type TestAgent, until } from './testing/harness.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server whose messages are the bytes that a test gives it; it takes the agent's next stream after each end. */
async function startRawServer(messages: readonly Buffer[], onWatch: () => void = () => {}): Promise<number> {
  const server = new Server();
  const watchNode: handleServerStreamingCall<unknown, Buffer> = (call) => {
    onWatch();
    for (const message of messages) call.write(message);
  };
  const definition = {
    watchNode: { ...BrokerService.watchNode, responseSerialize: (bytes: Buffer) => bytes },
  };
  server.addService(definition, { watchNode });
  cleanups.push(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

function agent(port: number): TestAgent {
  const started = startAgent([port]);
  cleanups.push(() => started.stop());
  return started;
}

function encode(event: NodeEvent['event']): Buffer {
  return BrokerService.watchNode.responseSerialize({ event, seen: undefined });
}

const web = podToMessage(makeView({ name: 'web' }), 0);
const synced = encode({ $case: 'synced', value: {} });

describe('a server that sends what an agent does not understand', () => {
  const cases: [what: string, bytes: Buffer][] = [
    ['bytes that are no message', Buffer.from([0xff, 0xff, 0xff])],
    ['a time beyond all numbers', overlongTime()],
    ['an event of a newer version', Buffer.from([0x7a, 0x00])],
    ['an event of no kind', Buffer.alloc(0)],
    ['a pod without an identity', encode({ $case: 'pod', value: { ...web, uid: '' } })],
  ];
  for (const [what, bytes] of cases) {
    it(`loses no stream and no other pod by ${what}`, async () => {
      let streams = 0;
      const port = await startRawServer([bytes, encode({ $case: 'pod', value: web }), synced], () => {
        streams += 1;
      });
      const { sink } = agent(port);
      await until('everything is told', () => sink.log.includes('synced'));
      assert.deepEqual(sink.log, ['+uid-web', 'synced']);
      assert.equal(streams, 1);
    });
  }

  it('has the agent forget the pod that it does not understand any more', async () => {
    const newer = { ...web, decision: undefined };
    const port = await startRawServer([
      encode({ $case: 'pod', value: web }),
      synced,
      encode({ $case: 'pod', value: newer }),
    ]);
    const { sink } = agent(port);
    await until('the pod is forgotten', () => sink.log.length === 3);
    assert.deepEqual(sink.log, ['+uid-web', 'synced', '-uid-web']);
  });
});

/** A pod event whose session expires at 2^63 - 1 ms: no JavaScript number holds that. */
function overlongTime(): Buffer {
  const field = (number: number, bytes: Uint8Array) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const largest = Buffer.from([(4 << 3) | 0, ...Array.from({ length: 8 }, () => 0xff), 0x7f]);
  const session = field(7, field(2, largest));
  const identity = Pod.encode({ ...web, decision: undefined, session: undefined, addresses: [] }).finish();
  return field(1, Buffer.concat([identity, session]));
}

describe('a server that takes connections and does not answer', () => {
  it('is given up after a while, again and again, over one connection', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    assert.ok(address && typeof address === 'object');
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { feed, clock } = agent(address.port);
    await until('the agent connects', () => sockets.size === 1);
    await clock.advance(3_000);
    await until(
      'the agent gives up',
      () => feed.status.kind === 'connecting' && feed.status.problem !== undefined,
    );
    assert.match(JSON.stringify(feed.status), /no answer within 3000 ms/);
    assert.equal(feed.connectedOnce, false);
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(8_000);
      await new Promise(setImmediate);
    }
    assert.equal(sockets.size, 1);
  });
});
