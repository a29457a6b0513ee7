import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createPodDoors, type PodDoors } from './pod-doors.ts';

describe('the doors of all pods', {
  skip: process.platform !== 'linux' ? 'needs Linux, where all of 127.0.0.0/8 is local' : false,
}, () => {
  const servers: Server[] = [];
  let port: number;
  let otherPort: number;
  let doors: PodDoors;
  const to = (where: number) => ({ host: '127.0.0.1', port: where });
  const pod = (name: string, address: string) => ({ uid: `uid-${name}`, namespace: 'ns', name, address });

  before(async () => {
    const listen = async (name: string) => {
      const server = createServer((request, response) =>
        response.end(`${name}: ${request.method} from ${request.socket.remoteAddress}`),
      );
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return (server.address() as AddressInfo).port;
    };
    port = await listen('agent');
    otherPort = await listen('standalone');
  });
  after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });
  beforeEach(() => {
    doors = createPodDoors({ to: { split: to(port), standalone: to(otherPort) } });
  });

  it('let a client in as each pod', async () => {
    doors.open(pod('a', '127.64.1.1'));
    doors.open(pod('b', '127.64.1.2'));
    await doors.settled();
    for (const [name, address] of [
      ['a', '127.64.1.1'],
      ['b', '127.64.1.2'],
    ] as const) {
      const found = doors.find('ns', name);
      assert.ok(found);
      assert.equal(await (await fetch(found.split.v2)).text(), `agent: GET from ${address}`);
      assert.equal(await (await fetch(found.standalone.v2)).text(), `standalone: GET from ${address}`);
      assert.equal((await fetch(found.split.v1, { method: 'PUT' })).status, 405);
      assert.equal((await fetch(found.standalone.v1, { method: 'PUT' })).status, 405);
    }
    await doors.close();
    assert.deepEqual(doors.list(), []);
  });

  it('are shut when the pod goes, and the change is told', async () => {
    const changes: (string | undefined)[] = [];
    doors.onChange((opened) => changes.push(opened?.pod.name));
    doors.open(pod('a', '127.64.1.1'));
    await doors.settled();
    const found = doors.find('ns', 'a');
    assert.ok(found);
    doors.shut(pod('a', '127.64.1.1'));
    while (doors.find('ns', 'a')) await new Promise((resolve) => setImmediate(resolve));
    for (const url of [found.split.v2, found.standalone.v1]) await assert.rejects(fetch(url));
    assert.deepEqual(changes, ['a', undefined]);
    await doors.close();
  });

  it('are found by namespace and name together', async () => {
    doors.open(pod('a', '127.64.1.1'));
    await doors.settled();
    assert.equal(doors.find('other', 'a'), undefined);
    assert.equal(doors.find('ns', 'b'), undefined);
    await doors.close();
  });

  it('that cannot be opened are told of', async () => {
    const failed: string[] = [];
    const broken = createPodDoors({
      to: { split: to(port), standalone: to(otherPort) },
      listenHost: '192.0.2.1',
    });
    broken.onFailure(({ name }, error) => failed.push(`${name}: ${error instanceof Error}`));
    broken.open(pod('a', '127.64.1.1'));
    await assert.rejects(broken.settled(), { code: 'ERR_LISTEN' });
    assert.deepEqual(failed, ['a: true']);
    assert.deepEqual(broken.list(), []);
    await broken.close();
  });
});
