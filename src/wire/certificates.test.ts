import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { createFakeClock } from '../base/fake-clock.ts';
import { makeView } from '../broker/testing/objects.ts';
import { createLogger, createSilentLogger } from '../telemetry/logger.ts';
import { type Certificates, loadCertificates } from './certificates.ts';
import {
  type Authority,
  type CertificateDirectory,
  createAuthority,
  createCertificateDirectory,
} from './testing/certificates.ts';
import { startAgent, startBrokerServer, type TestAgent, until } from './testing/harness.ts';

let authority: Authority;
let stranger: Authority;
before(async () => {
  authority = await createAuthority('cluster');
  stranger = await createAuthority('stranger');
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const clock = createFakeClock(Date.now());

async function load(
  content: Parameters<typeof createCertificateDirectory>[0],
  logger = createSilentLogger(),
) {
  const directory = await createCertificateDirectory({ ca: authority.cert, ...content });
  cleanups.push(() => directory.remove());
  return { directory, certificates: await loadCertificates({ files: directory.files, clock, logger }) };
}

async function startServer(certificates: Certificates, port = 0) {
  const started = await startBrokerServer({ credentials: certificates.serverCredentials(), port });
  cleanups.push(() => started.server.close());
  started.source.set(makeView({ name: 'web' }));
  return started;
}

function startClient(port: number, certificates: Certificates): TestAgent {
  const channel = { credentials: certificates.channelCredentials(), keepaliveTime: 200 };
  const agent = startAgent([port], { channel });
  cleanups.push(() => agent.stop());
  return agent;
}

const isConnected = ({ feed }: TestAgent) => feed.status.kind === 'connected';
const problemOf = ({ feed }: TestAgent) =>
  feed.status.kind === 'connecting' ? feed.status.problem : undefined;

describe('a server with certificates', () => {
  let server: { directory: CertificateDirectory; certificates: Certificates };
  let port: number;
  beforeEach(async () => {
    server = await load(await authority.issue());
    ({ port } = await startServer(server.certificates));
  });

  it('serves an agent that has one of the same authority', async () => {
    const { certificates } = await load(await authority.issue({ names: ['agent'], usage: 'client' }));
    const agent = startClient(port, certificates);
    await until('the agent has the pods', () => agent.sink.held.has('uid-web'));
  });

  it("serves an agent that has the server's own certificate, as kiam's probes do", async () => {
    const agent = startClient(port, server.certificates);
    await until('the agent is connected', () => isConnected(agent));
  });

  it('is not believed by an agent that trusts another authority', async () => {
    const { certificates } = await load({ ...(await authority.issue()), ca: stranger.cert });
    const agent = startClient(port, certificates);
    await until('the agent fails', () => problemOf(agent) !== undefined);
    assert.equal(agent.feed.connectedOnce, false);
  });

  const refused: [who: string, issue: () => Promise<{ cert: string; key: string }>][] = [
    ['of another authority', () => stranger.issue()],
    ['that is for servers only', () => authority.issue({ usage: 'server' })],
  ];
  for (const [who, issue] of refused) {
    it(`refuses an agent with a certificate ${who}`, async () => {
      const { certificates } = await load(await issue());
      const agent = startClient(port, certificates);
      await until('the agent fails', () => problemOf(agent) !== undefined);
      assert.equal(agent.feed.connectedOnce, false);
    });
  }

  it('refuses a client without a certificate', async () => {
    const outcome = await handshake({ port, ca: authority.cert });
    assert.match(outcome, /certificate required|handshake failure/i);
  });

  it('refuses a client that does not speak TLS', async () => {
    const agent = startAgent([port]);
    cleanups.push(() => agent.stop());
    await until('the agent fails', () => problemOf(agent) !== undefined);
    assert.equal(agent.feed.connectedOnce, false);
  });
});

it('an agent refuses a server whose certificate has another name', async () => {
  const server = await load(await authority.issue({ names: ['elsewhere'] }));
  const { port } = await startServer(server.certificates);
  const client = await load(await authority.issue());
  const agent = startClient(port, client.certificates);
  await until('the agent fails', () => problemOf(agent) !== undefined);
  assert.equal(agent.feed.connectedOnce, false);
});

/** How a handshake ends, seen from a client: in TLS 1.3 a refusal comes after the client is done. */
function handshake(options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', ALPNProtocols: ['h2'], ...options });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('closed'));
    socket.resume();
  });
}

describe('new certificates', () => {
  it('are used for new connections, and those that exist go on', async () => {
    const server = await load(await authority.issue());
    const { port, source } = await startServer(server.certificates);
    const client = await load(await authority.issue());
    const agent = startClient(port, client.certificates);
    await until('the agent is connected', () => isConnected(agent));

    // All of it is new, on both sides: whoever has the old set is a stranger from now on.
    await server.directory.write({ ...(await stranger.issue()), ca: stranger.cert });
    await client.directory.write({ ...(await stranger.issue()), ca: stranger.cert });
    assert.deepEqual(await server.certificates.reload(), { kind: 'replaced' });
    source.set(makeView({ name: 'db', addresses: ['10.0.0.2'] }));
    await until('the old connection goes on', () => agent.sink.held.has('uid-db'));

    const late = startClient(port, client.certificates);
    await until('the old set is refused', () => problemOf(late) !== undefined);
    assert.deepEqual(await client.certificates.reload(), { kind: 'replaced' });
    await until('the new set is taken', () => isConnected(late), late.clock);
  });

  it('are not used when they cannot be; the last good ones stay', async () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', json: true, write: (line) => lines.push(line) });
    const first = await authority.issue();
    const server = await load(first, logger);
    const { port } = await startServer(server.certificates);
    await server.directory.write({ key: (await authority.issue()).key });

    const kept = await server.certificates.reload();
    assert.ok(kept.kind === 'kept' && kept.problem.code === 'ERR_TLS');
    assert.equal(server.certificates.problem, kept.problem);
    assert.equal((await server.certificates.reload()).kind, 'kept');
    assert.equal(lines.length, 1, 'one fault is one line');
    const agent = startClient(port, (await load(await authority.issue())).certificates);
    await until('the server still serves', () => isConnected(agent));

    await server.directory.write({ key: first.key });
    assert.deepEqual(await server.certificates.reload(), { kind: 'unchanged' });
    assert.equal(server.certificates.problem, undefined);
  });

  it('are kept from a rotation in the wrong order: a certificate of an authority that is not in the bundle yet', async () => {
    const server = await load(await authority.issue());
    await server.directory.write(await stranger.issue());
    const kept = await server.certificates.reload();
    assert.ok(kept.kind === 'kept');
    assert.match(kept.problem.message, /does not come from an authority in --ca/);
    await server.directory.write({ ca: authority.cert + stranger.cert });
    assert.deepEqual(await server.certificates.reload(), { kind: 'replaced' });
  });

  it('are looked at once by those who ask at the same time', async () => {
    const server = await load(await authority.issue());
    await server.directory.write(await authority.issue());
    const outcomes = await Promise.all([server.certificates.reload(), server.certificates.reload()]);
    assert.deepEqual(outcomes, [{ kind: 'replaced' }, { kind: 'replaced' }]);
    assert.equal(outcomes[0], outcomes[1]);
  });

  it('must be usable to begin with', async () => {
    await assert.rejects(load({ ...(await authority.issue()), key: 'no key' }), { code: 'ERR_TLS' });
  });

  it('are warned of when the other side must trust an authority that this one does not', async () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', json: true, write: (line) => lines.push(line) });
    const { certificates } = await load({ ...(await authority.issue()), ca: stranger.cert }, logger);
    assert.match(lines.join(''), /does not come from an authority in --ca/);
    assert.equal(certificates.current.signedByOwnAuthority, false);
  });
});
