import assert from 'node:assert/strict';
import { createServer as createHttp2 } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, before, describe, it } from 'node:test';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import { systemClock } from '../base/clock.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import { createExplainConnection } from './explain-connection.ts';
import { type Authority, createAuthority, type Pair } from './testing/certificates.ts';
import { startBrokerServer, until } from './testing/harness.ts';
import { checkTlsMaterial, type TlsMaterial } from './tls.ts';

const day = 86_400_000;
const now = Date.now();
let authority: Authority;
let stranger: Authority;
let ours: TlsMaterial;
before(async () => {
  authority = await createAuthority('cluster');
  stranger = await createAuthority('stranger');
  ours = material(await authority.issue({ usage: 'client' }));
});

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function material({ cert, key }: Pair, ca = authority.cert): TlsMaterial {
  const bytes = { cert: Buffer.from(cert), key: Buffer.from(key), ca: Buffer.from(ca) };
  return checkTlsMaterial(bytes, { cert: 'cert', key: 'key', ca: 'ca' }, now);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function explain(port: number, own = ours, host = 'localhost') {
  const server = { host, ip: '127.0.0.1', port };
  return createExplainConnection({ current: own }, systemClock)(server, new AbortController().signal);
}

/** A TLS server that takes everybody. */
function startTls(options: TlsOptions): Promise<number> {
  const server = createTls({ ALPNProtocols: ['h2'], ...options }, (socket) => {
    socket.on('error', () => {});
    socket.write('settings');
  });
  return listen(server);
}

describe('what is wrong with a connection', () => {
  const faults: [what: string, server: () => Promise<TlsOptions>, text: RegExp][] = [
    [
      'a certificate with other names',
      () => authority.issue({ names: ['kiam-server', 'elsewhere'] }),
      /^its certificate is for kiam-server, elsewhere and not for localhost\. .*--server-address$/,
    ],
    [
      'a certificate of another authority',
      () => stranger.issue(),
      /^the certificate of the server \(CN=localhost\) does not come from an authority in --ca\. /,
    ],
    [
      'a certificate that has expired',
      () => authority.issue({ from: now - 2 * day, to: now - day }),
      /\(CN=localhost\), or the authority above it, has expired: .*GMT\. Issue a new one$/,
    ],
    [
      'a certificate for later',
      () => authority.issue({ from: now + day, to: now + 2 * day }),
      /is not valid before .*clocks/,
    ],
    [
      'a certificate for clients',
      () => authority.issue({ usage: 'client' }),
      /is not for servers.*serverAuth/,
    ],
    [
      'no HTTP/2',
      async () => ({ ...(await authority.issue()), ALPNProtocols: ['http/1.1'] }),
      /speaks TLS but not HTTP\/2/,
    ],
  ];
  for (const [what, options, text] of faults) {
    it(`is said of a server with ${what}`, async () => {
      assert.match((await explain(await startTls(await options()))) ?? '', text);
    });
  }

  it('is said of a name that is an address', async () => {
    const port = await startTls(await authority.issue());
    assert.match((await explain(port, ours, '127.0.0.1')) ?? '', /is for localhost and not for 127\.0\.0\.1/);
  });

  it('is said of a port where nobody listens', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    assert.match((await explain(port)) ?? '', /nothing listens there \(connection refused\)/);
  });

  it('is said of a server without TLS', async () => {
    const http2 = createHttp2();
    assert.match((await explain(await listen(http2))) ?? '', /does not speak TLS/);
  });

  for (const [what, issue] of [
    ['of another authority', () => stranger.issue()],
    ['that is for servers only', () => authority.issue({ usage: 'server' })],
  ] as const) {
    it(`is said of a podpass server that refuses our certificate: ${what}`, async () => {
      const credentials = {
        current: material(await authority.issue()),
        onReplaced: () => () => {},
      };
      const { server, port } = await startBrokerServer({ credentials });
      cleanups.push(() => server.close());
      assert.match((await explain(port, material(await issue()))) ?? '', /does not accept this certificate/);
      assert.equal(await explain(port), undefined, 'and nothing with one that it accepts');
    });
  }

  it('is said of a server that hangs, within the time', async () => {
    const port = await listen(createServer((socket) => cleanups.push(() => socket.destroy())));
    const clock = createFakeClock();
    const server = { host: 'localhost', ip: '127.0.0.1', port };
    const asked = createExplainConnection({ current: ours }, clock)(server, new AbortController().signal);
    await until('the time is waited for', () => clock.pending > 0);
    await clock.advance(1_000);
    assert.match((await asked) ?? '', /did not answer within 1000 ms/);
  });

  it('holds nothing of the other side that could break a line', async () => {
    const port = await startTls(await authority.issue({ names: ['odd', 'evil\u001b[31m\nlevel=error'] }));
    const problem = (await explain(port)) ?? '';
    assert.match(problem, /is for odd, .*evil/);
    assert.doesNotMatch(problem, /[^\x20-\x7e]/);
  });
});
