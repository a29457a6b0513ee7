import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { afterEach, before, describe, it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import type { HandshakeFault } from './handshake-fault.ts';
import type { RefusedHandshake } from './handshake-report.ts';
import { listenTcp } from './tcp-listener.ts';
import { type Authority, createAuthority, type IssueOptions } from './testing/certificates.ts';
import { until } from './testing/harness.ts';
import { checkTlsMaterial, type TlsMaterial } from './tls.ts';
import { createTlsDoor, type ServerTls } from './tls-door.ts';

const day = 86_400_000;
const files = { cert: 'cert', key: 'key', ca: 'ca' };
let authority: Authority;
let stranger: Authority;
let namesake: Authority;
before(async () => {
  authority = await createAuthority('cluster');
  stranger = await createAuthority('stranger');
  // A self-signed authority that was issued again keeps its name: what changes is its key.
  namesake = await createAuthority('cluster');
});

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function materialOf(issuer: Authority, ca = issuer.cert): Promise<TlsMaterial> {
  const { cert, key } = await issuer.issue();
  return checkTlsMaterial(
    { cert: Buffer.from(cert), key: Buffer.from(key), ca: Buffer.from(ca) },
    files,
    Date.now(),
  );
}

async function openDoor() {
  const refused: RefusedHandshake[] = [];
  const admitted: { authorized: boolean; serial: string }[] = [];
  const listeners = new Set<(material: TlsMaterial) => void>();
  const tls: ServerTls = {
    current: await materialOf(authority),
    onReplaced(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const door = createTlsDoor(
    tls,
    (socket) => {
      admitted.push({ authorized: socket.authorized, serial: socket.getPeerCertificate().serialNumber });
      socket.end('welcome');
    },
    (one) => refused.push(one),
  );
  const listener = await listenTcp('127.0.0.1:0', door.admit);
  cleanups.push(() => {
    door.close();
    listener.close();
    listener.destroyConnections();
  });
  const replace = (material: TlsMaterial) => {
    for (const listen of listeners) listen(material);
  };
  return { port: listener.port, refused, admitted, replace };
}

/** Connects, and resolves with the code of the client's error, or what it was told. */
function dial(port: number, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    let outcome = 'closed';
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: authority.cert,
      ALPNProtocols: ['h2'],
      ...options,
    });
    socket.on('error', (error) => {
      outcome = 'code' in error ? String(error.code) : error.message;
    });
    socket.on('data', (data) => {
      outcome = String(data);
    });
    socket.on('close', () => resolve(outcome));
  });
}

function send(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => (text === '' ? socket.destroy() : socket.write(text)));
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
  });
}

describe('the TLS of a server', () => {
  it('lets a client in whose certificate comes from a trusted authority', async () => {
    const { port, admitted, refused } = await openDoor();
    assert.equal(await dial(port, await authority.issue({ usage: 'client' })), 'welcome');
    assert.equal(admitted[0]?.authorized, true);
    assert.deepEqual(refused, []);
  });

  const now = Date.now();
  const issued =
    (options: IssueOptions, from = () => authority) =>
    () =>
      from().issue(options);
  const cases: [
    fault: HandshakeFault,
    what: string,
    options: () => ConnectionOptions | Promise<ConnectionOptions>,
  ][] = [
    ['no-certificate', 'no certificate', () => ({})],
    ['no-certificate', 'no certificate, in TLS 1.2', () => ({ maxVersion: 'TLSv1.2' })],
    ['unknown-authority', 'one of another authority', issued({}, () => stranger)],
    ['unknown-authority', 'one of another authority of the same name', issued({}, () => namesake)],
    ['expired', 'one that has expired', issued({ from: now - 2 * day, to: now - day })],
    ['not-yet-valid', 'one for later', issued({ from: now + day, to: now + 2 * day })],
    ['wrong-usage', 'one for servers', issued({ usage: 'server' })],
    [
      'protocol-too-old',
      'a good one, and TLS 1.1',
      async () => ({
        ...(await authority.issue()),
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    ],
    [
      'no-http2',
      'a good one, and HTTP/1',
      async () => ({ ...(await authority.issue()), ALPNProtocols: ['http/1.1'] }),
    ],
    [
      'no-http2',
      'a good one, and no protocol named',
      async () => {
        const { ALPNProtocols: _, ...rest }: ConnectionOptions = await authority.issue();
        return { ...rest, ALPNProtocols: [] };
      },
    ],
    [
      'gave-up',
      'a good one, and does not trust the server',
      async () => ({ ...(await authority.issue()), ca: stranger.cert }),
    ],
  ];
  for (const [fault, what, options] of cases) {
    it(`refuses a client that has ${what}: ${fault}`, async () => {
      const { port, refused, admitted } = await openDoor();
      assert.notEqual(await dial(port, await options()), 'welcome');
      await until('the refusal is reported', () => refused.length > 0);
      assert.equal(refused[0]?.fault, fault);
      // A client that gives up has closed before it could be looked at in every case.
      if (fault !== 'gave-up') assert.equal(refused[0]?.address, '127.0.0.1');
      assert.equal(refused.length, 1);
      assert.deepEqual(admitted, []);
    });
  }

  const plain: [fault: HandshakeFault, what: string, text: string][] = [
    ['not-tls', 'HTTP/1', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['not-tls', 'HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['not-tls', 'anything else', 'SSH-2.0-OpenSSH_9.0\r\n'],
    ['gave-up', 'nothing, and closes', ''],
  ];
  for (const [fault, what, text] of plain) {
    it(`refuses a client that speaks ${what}: ${fault}`, async () => {
      const { port, refused } = await openDoor();
      await send(port, text);
      await until('the refusal is reported', () => refused.length > 0);
      assert.equal(refused[0]?.fault, fault);
    });
  }

  it('does not take a session of before: each connection shows its certificate again', async () => {
    const { port, admitted, replace, refused } = await openDoor();
    const pair = await authority.issue();
    let session: Buffer | undefined;
    await new Promise<void>((resolve) => {
      const options = { ...pair, host: '127.0.0.1', port, servername: 'localhost', ca: authority.cert };
      const socket = connect({ ...options, maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] });
      socket.on('session', (bytes) => {
        session = bytes;
      });
      socket.on('close', () => resolve());
      socket.resume();
    });
    assert.equal(admitted.length, 1);
    replace(await materialOf(stranger));
    const again = await dial(port, {
      ca: stranger.cert,
      maxVersion: 'TLSv1.2',
      ...(session ? { session } : {}),
    });
    assert.notEqual(again, 'welcome');
    await until('the refusal is reported', () => refused.length > 0);
    assert.equal(refused[0]?.fault, 'no-certificate');
  });

  it('uses new certificates for new connections', async () => {
    const { port, replace } = await openDoor();
    replace(await materialOf(stranger));
    assert.equal(await dial(port, { ...(await stranger.issue()), ca: stranger.cert }), 'welcome');
    assert.notEqual(await dial(port, { ...(await authority.issue()), ca: stranger.cert }), 'welcome');
  });
});
