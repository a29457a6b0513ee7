import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { before, describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../base/clock.ts';
import type { ClusterAccess, ClusterTls } from './cluster-config.ts';
import type { JsonOutcome } from './connection.ts';
import { createClusterConnection } from './create-connection.ts';
import { createHttpClient, describeNetworkError } from './http-client.ts';
import { startFakeApiServer } from './testing/fake-api-server.ts';
import { createFakeStream } from './testing/fake-stream.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const never = new AbortController().signal;

interface Authority {
  readonly pem: string;
  issue(name: string, ip?: string): Promise<{ cert: string; key: string }>;
}

async function createAuthority(name: string): Promise<Authority> {
  // The library insists on the Reflect metadata API, and only asks it for what its classes do not have.
  const none = () => undefined;
  if (!('getMetadata' in Reflect)) Object.assign(Reflect, { getMetadata: none, getOwnMetadata: none });
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const common = { ...validity, signingAlgorithm: algorithm };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...common,
    serialNumber: '01',
    name: `CN=${name}`,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  let serial = 1;
  return {
    pem: ca.toString('pem'),
    async issue(subject, ip) {
      serial += 1;
      const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const cert = await x509.X509CertificateGenerator.create({
        ...common,
        serialNumber: serial.toString(16).padStart(2, '0'),
        subject: `CN=${subject}`,
        issuer: ca.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: subject },
            ...(ip ? [{ type: 'ip' as const, value: ip }] : []),
          ]),
        ],
      });
      const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64');
      const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
      return { cert: cert.toString('pem'), key };
    },
  };
}

describe('a connection over TLS', () => {
  let authority: Authority;
  let other: Authority;
  before(async () => {
    [authority, other] = await Promise.all([createAuthority('cluster'), createAuthority('somebody else')]);
  });

  /** Serves who the client is by its certificate; `tls` is what is shown from then on. */
  async function serve(t: TestContext, host = '127.0.0.1') {
    const peers: string[] = [];
    const server = await startFakeApiServer(
      (_request, response) => {
        const peer = (response.socket as TLSSocket).getPeerCertificate();
        peers.push(String(peer.subject?.CN ?? 'nobody'));
        return { kind: 'json', status: 200, body: {} };
      },
      {
        ...(await authority.issue('kubernetes', host)),
        ca: authority.pem,
        requestCert: true,
        rejectUnauthorized: false,
      },
    );
    let tls: ClusterTls = { ca: authority.pem };
    const config = {
      server: server.url,
      source: 'the test',
      access: async (): Promise<ClusterAccess> => ({ headers: {}, tls }),
    };
    const connection = createClusterConnection({ config, clock: systemClock });
    t.after(async () => {
      connection.close();
      await server.close();
    });
    return {
      server,
      connection,
      peers,
      show(next: ClusterTls) {
        tls = next;
      },
      ask: () => connection.requestJson({ method: 'GET', path: '/', timeoutMillis: 10_000, signal: never }),
    };
  }

  function assertRefused(outcome: JsonOutcome, message: RegExp): void {
    assert.equal(outcome.kind, 'unreachable');
    assert.match(outcome.kind === 'unreachable' ? outcome.message : '', message);
  }

  it('takes a server that the CA has signed for its address, and keeps the connection', async (t) => {
    const { ask, server, peers } = await serve(t);
    assert.equal((await ask()).kind, 'ok');
    assert.equal((await ask()).kind, 'ok');
    assert.equal(server.connections, 1);
    assert.deepEqual(peers, ['nobody', 'nobody']);
  });

  it('takes no other server', async (t) => {
    const { ask, show } = await serve(t);
    show({ ca: other.pem });
    assertRefused(await ask(), /certificate/);
    show({});
    assertRefused(await ask(), /certificate/);
  });

  it('takes a server of another address only under the name that is expected', async (t) => {
    const { ask, show } = await serve(t, '192.0.2.1');
    assertRefused(await ask(), /IP: 127\.0\.0\.1 is not in the cert/);
    show({ ca: authority.pem, servername: 'kubernetes' });
    assert.equal((await ask()).kind, 'ok');
    show({ ca: authority.pem, servername: 'another' });
    assertRefused(await ask(), /does not match/);
  });

  it('takes any server only where that is said', async (t) => {
    const { ask, show } = await serve(t);
    show({ ca: other.pem, rejectUnauthorized: false });
    assert.equal((await ask()).kind, 'ok');
  });

  it('shows a client certificate, and the next one as soon as it was rotated', async (t) => {
    const { ask, show, peers, server } = await serve(t);
    show({ ca: authority.pem, ...(await authority.issue('first')) });
    await ask();
    await ask();
    show({ ca: authority.pem, ...(await authority.issue('second')) });
    await ask();
    assert.deepEqual(peers, ['first', 'first', 'second']);
    assert.equal(server.connections, 2);
  });

  it('keeps a connection whose TLS material was read again and is the same', async (t) => {
    const { ask, show, server } = await serve(t);
    await ask();
    show({ ca: `${authority.pem}` });
    await ask();
    assert.equal(server.connections, 1);
  });

  it('does not cut a watch when the CA is rotated', async (t) => {
    const stream = createFakeStream();
    const server = await startFakeApiServer(
      ({ query }) => (query.watch ? { kind: 'stream', stream } : { kind: 'json', status: 200, body: {} }),
      await authority.issue('kubernetes', '127.0.0.1'),
    );
    let tls: ClusterTls = { ca: authority.pem };
    const config = { server: server.url, source: 'the test', access: async () => ({ headers: {}, tls }) };
    const connection = createClusterConnection({ config, clock: systemClock });
    t.after(async () => {
      connection.close();
      await server.close();
    });
    const request = { path: '/', openMillis: 10_000, silenceMillis: 60_000, signal: never };
    const opened = await connection.openStream({ ...request, query: { watch: true } });
    assert.ok(opened.kind === 'open');
    tls = { ca: `${authority.pem}\n${other.pem}` };
    const outcome = await connection.requestJson({
      method: 'GET',
      path: '/',
      timeoutMillis: 10_000,
      signal: never,
    });
    assert.equal(outcome.kind, 'ok');
    stream.send({ n: 1 });
    assert.deepEqual((await opened.items.next()).value, { kind: 'object', value: { n: 1 } });
    await opened.items.return();
  });
});

describe('the HTTP client', () => {
  it('has TCP find out about a peer that is gone', async (t) => {
    const server = await startFakeApiServer(() => ({ kind: 'json', status: 200, body: {} }));
    const client = createHttpClient();
    t.after(async () => {
      client.close();
      await server.close();
    });
    const response = await client.send({
      url: new URL(server.url),
      method: 'GET',
      headers: {},
      access: { headers: {}, tls: {} },
      signal: never,
    });
    const calls: unknown[][] = [];
    const { socket } = response;
    socket.setKeepAlive = (...args: unknown[]) => {
      calls.push(args);
      return socket;
    };
    response.resume();
    await new Promise((resolve) => response.on('end', resolve));
    const next = await client.send({
      url: new URL(server.url),
      method: 'GET',
      headers: {},
      access: { headers: {}, tls: {} },
      signal: never,
    });
    next.resume();
    assert.equal(next.socket, socket);
    assert.deepEqual(calls.at(-1), [true, 15_000]);
  });
});

describe('a network error in words', () => {
  const cases: [string, unknown, string][] = [
    ['its text', new Error('connect ECONNREFUSED 127.0.0.1:1'), 'connect ECONNREFUSED 127.0.0.1:1'],
    ['its code where the text is empty', Object.assign(new Error(''), { code: 'EPIPE' }), 'EPIPE'],
    ['the first of several', new AggregateError([new Error('first'), new Error('second')], ''), 'first'],
    ['something, always', new Error(''), 'the connection failed'],
    ['no control characters', new Error('a\u0000\nb'), 'a b'],
  ];
  for (const [what, thrown, expected] of cases) {
    it(`is ${what}`, () => assert.equal(describeNetworkError(thrown), expected));
  }
});
