import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { makeView } from '../broker/testing/objects.ts';
import type { Role } from './gen/kiam.ts';
import type { KiamCall } from './kiam-client.ts';
import { until } from './testing/harness.ts';
import { createKiamAgent, startKiamServer } from './testing/kiam-harness.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function server(roleName?: string) {
  const started = await startKiamServer();
  cleanups.push(() => started.server.close());
  const decision = {
    kind: 'granted' as const,
    role: { name: roleName ?? '', arn: 'arn' },
    session: { sessionName: 's' },
    findings: [],
  };
  if (roleName !== undefined) started.table.upsert(makeView({ name: 'web', decision }));
  return started;
}

function agent(...ports: number[]) {
  const made = createKiamAgent(ports);
  cleanups.push(() => made.client.close());
  return made;
}

/** A server that takes connections and says nothing, as kiam's do until their caches are full. */
async function startSilentServer() {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  assert.ok(address && typeof address === 'object');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  return { port: address.port, sockets };
}

const never = new AbortController().signal;
const getRole: KiamCall<Role> = (rpc, callback) => rpc.getPodRole({ ip: '10.0.0.1' }, callback);

describe("a call of kiam's service", () => {
  it('goes to the first server as long as it answers', async () => {
    const [first, second] = [await server('first'), await server('second')];
    const { client } = agent(first.port, second.port);
    for (let i = 0; i < 3; i += 1) {
      assert.deepEqual(await client.call(getRole, never), { kind: 'answered', response: { name: 'first' } });
    }
  });

  it('goes to the second when the first is gone, and stays there for a while', async () => {
    const [first, second] = [await server('first'), await server('second')];
    const { client, clock } = agent(first.port, second.port);
    first.server.close();
    assert.deepEqual(await client.call(getRole, never), { kind: 'answered', response: { name: 'second' } });
    second.table.remove('uid-web');
    second.table.upsert(makeView({ name: 'web', decision: { kind: 'no-role', findings: [] } }));
    assert.deepEqual(await client.call(getRole, never), { kind: 'answered', response: { name: '' } });
    await clock.advance(30_000);
    assert.equal((await client.call(getRole, never)).kind, 'answered');
  });

  it('is not repeated elsewhere when the server says no', async () => {
    const [first, second] = [await server(), await server('second')];
    first.table.upsert(makeView({ name: 'a' }));
    first.table.upsert(makeView({ name: 'b' }));
    const { client } = agent(first.port, second.port);
    const outcome = await client.call(getRole, never);
    assert.ok(outcome.kind === 'failed');
    assert.equal(outcome.error.details, 'multiple running pods found');
  });

  it('names the server and what is wrong with it when there is no other', async () => {
    const { port, server: gone } = await server();
    gone.close();
    const { client } = agent(port);
    const outcome = await client.call(getRole, never);
    assert.ok(outcome.kind === 'unreachable');
    assert.match(outcome.problem, new RegExp(`^localhost \\(127\\.0\\.0\\.1:${port}\\): `));
  });

  it('goes to the next server after five seconds of silence, over one connection for all tries', async () => {
    const silent = await startSilentServer();
    const { port } = await server('there');
    const { client, clock } = agent(silent.port, port);
    const call = client.call(getRole, never);
    await until('the silent server is dialled', () => silent.sockets.size === 1);
    await clock.advance(5_000);
    assert.deepEqual(await call, { kind: 'answered', response: { name: 'there' } });
    await clock.advance(30_000);
    const again = client.call(getRole, never);
    await clock.advance(5_000);
    assert.equal((await again).kind, 'answered');
    assert.equal(silent.sockets.size, 1);
  });

  it('leaves a silent server out next time when its caller could not wait', async () => {
    const silent = await startSilentServer();
    const { port } = await server('there');
    const { client } = agent(silent.port, port);
    const caller = new AbortController();
    const call = client.call(getRole, caller.signal);
    await until('the silent server is dialled', () => silent.sockets.size === 1);
    caller.abort(new Error('no more time'));
    await assert.rejects(call, /no more time/);
    assert.deepEqual(await client.call(getRole, never), { kind: 'answered', response: { name: 'there' } });
  });
});
