import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, it } from 'node:test';
import { openPodDoor, type PodDoor, type PodDoorOptions } from './pod-door.ts';

const podAddress = '127.77.1.2';

describe('openPodDoor', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function open(port: number, options: Partial<PodDoorOptions> = {}): Promise<PodDoor> {
    const door = await openPodDoor({
      podAddress,
      agent: { host: '127.0.0.1', port },
      imds: 'v2',
      listenHost: '127.0.0.1',
      port: 0,
      ...options,
    });
    cleanups.push(() => door.close());
    return door;
  }

  /** A raw agent. Its connections allow half of them to be closed. */
  async function startAgent(
    onConnection: (socket: Socket) => void,
  ): Promise<{ server: Server; port: number }> {
    const open = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      open.add(socket.on('error', () => {}));
      onConnection(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    return { server, port: (server.address() as AddressInfo).port };
  }

  /** An HTTP agent that answers with who asked and how. */
  async function startHttpAgent(): Promise<number> {
    const server = createHttpServer((request, response) => {
      response.end(`${request.method} ${request.url} from ${request.socket.remoteAddress}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  }

  function dial(door: PodDoor): Socket {
    const socket = connect({ host: '127.0.0.1', port: door.port, allowHalfOpen: true });
    cleanups.push(async () => socket.destroy());
    return socket;
  }

  it('makes a client that pod', async () => {
    const door = await open(await startHttpAgent());
    const put = await fetch(`${door.url}/latest/api/token`, { method: 'PUT' });
    assert.equal(await put.text(), `PUT /latest/api/token from ${podAddress}`);
    const get = await fetch(`${door.url}/latest/meta-data/`);
    assert.equal(await get.text(), `GET /latest/meta-data/ from ${podAddress}`);
  });

  it('gives each pod its own address', async () => {
    const port = await startHttpAgent();
    for (const address of ['127.1.1.1', '127.255.255.254']) {
      const door = await open(port, { podAddress: address });
      assert.match(await (await fetch(door.url)).text(), new RegExp(`from ${address}$`));
    }
  });

  it('refuses PUT for a pod whose clients know version 1 alone, and lets the rest through', async () => {
    const door = await open(await startHttpAgent(), { imds: 'v1' });
    const put = await fetch(`${door.url}/latest/api/token`, { method: 'PUT' });
    assert.equal(put.status, 405);
    assert.equal(put.headers.get('connection'), 'close');
    assert.equal(await put.text(), '');
    assert.equal(await (await fetch(`${door.url}/a`)).text(), `GET /a from ${podAddress}`);
  });

  it('refuses a PUT that comes later on a connection', async () => {
    const door = await open(await startHttpAgent(), { imds: 'v1' });
    const socket = dial(door);
    socket.write('GET /one HTTP/1.1\r\nHost: a\r\n\r\n');
    const first = await new Promise<string>((resolve) => {
      socket.once('data', (chunk) => resolve(String(chunk)));
    });
    assert.match(first, /^HTTP\/1\.1 200/);
    socket.write('PUT /latest/api/token HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    assert.match(await text(socket), /HTTP\/1\.1 405 Not Allowed\r\n/);
  });

  it('carries much in both directions, unchanged, and no faster than it is taken', async () => {
    // More than the buffers of all connections in the row can hold.
    const size = 64 * 1024 * 1024;
    const sent = Buffer.alloc(size, 'podpass');
    const { port } = await startAgent((socket) => socket.pipe(socket));
    const socket = dial(await open(port));
    socket.end(sent);
    // Nobody reads yet: what is under way is bounded by the buffers, so the whole cannot have been written.
    await new Promise((resolve) => socket.once('connect', resolve));
    for (let turn = 0; turn < 2_000; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(socket.writableLength > 0, 'the sender is held back');
    const hash = createHash('sha256');
    let length = 0;
    for await (const chunk of socket) {
      hash.update(chunk);
      length += chunk.length;
    }
    assert.equal(length, size);
    assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
  });

  for (const imds of ['v1', 'v2'] as const) {
    it(`passes the end of one direction on while the other runs (${imds})`, async () => {
      const { port } = await startAgent((socket) => {
        let question = '';
        socket.on('data', (chunk) => {
          question += chunk;
        });
        socket.once('end', () => socket.end(`heard ${question}`));
      });
      const socket = dial(await open(port, { imds }));
      socket.end('everything');
      assert.equal(await text(socket), 'heard everything');
    });
  }

  it('passes an answer on though the agent speaks first and closes', async () => {
    const { port } = await startAgent((socket) => socket.end('hello'));
    assert.equal(await text(dial(await open(port))), 'hello');
  });

  it('resets the client when the agent is not there', async () => {
    const { server, port } = await startAgent(() => {});
    await new Promise((resolve) => server.close(resolve));
    const socket = dial(await open(port));
    await assert.rejects(text(socket), { code: 'ECONNRESET' });
  });

  it('resets the client when the agent resets', async () => {
    const { port } = await startAgent((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const socket = dial(await open(port));
    socket.write('x');
    await assert.rejects(text(socket), { code: 'ECONNRESET' });
  });

  it('resets towards the agent when the client resets', async () => {
    const { promise: failed, resolve } = Promise.withResolvers<NodeJS.ErrnoException>();
    const { port } = await startAgent((socket) => {
      socket.once('error', resolve);
      socket.write('ready');
    });
    const socket = dial(await open(port));
    await new Promise((done) => socket.once('data', done));
    socket.resetAndDestroy();
    assert.equal((await failed).code, 'ECONNRESET');
  });

  it('has no more connections at a time than it is told', async () => {
    const { port } = await startAgent((socket) => {
      socket.write('in');
      socket.resume().once('end', () => socket.end());
    });
    const door = await open(port, { maxConnections: 2 });
    const admitted = [dial(door), dial(door)];
    for (const socket of admitted) await new Promise((resolve) => socket.once('data', resolve));
    assert.equal(await text(dial(door)).catch(() => ''), '');
    admitted[0]?.destroy();
    // The place is free again once the door has seen the close.
    let entered = '';
    for (let tries = 0; tries < 1_000 && entered === ''; tries++) {
      const socket = dial(door);
      entered = await new Promise((resolve) => {
        socket.once('data', (chunk) => resolve(String(chunk)));
        socket.once('error', () => resolve(''));
        socket.once('end', () => resolve(''));
      });
    }
    assert.equal(entered, 'in');
  });

  it('closes at once, whatever is open', async () => {
    const { port } = await startAgent((socket) => socket.write('in'));
    const door = await open(port);
    const socket = dial(door);
    await new Promise((resolve) => socket.once('data', resolve));
    const ended = new Promise((resolve) => socket.once('close', resolve).on('error', () => {}));
    socket.on('end', () => socket.end());
    await door.close();
    await ended;
    await assert.rejects(fetch(door.url));
  });

  it('says which address is taken', async () => {
    const { port } = await startAgent(() => {});
    await assert.rejects(open(port, { port }), {
      code: 'ERR_LISTEN',
      message: /cannot listen on 127\.0\.0\.1:\d+ for the pod 127\.77\.1\.2/,
    });
  });
});
