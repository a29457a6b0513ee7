// Certificates change under a server that is used all the time, as kubelet changes them: a link is swapped.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import { systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { type Certificates, loadCertificates } from '../../src/wire/certificates.ts';
import { channelTo } from '../../src/wire/channel.ts';
import { type HealthStatus, KiamServiceClient } from '../../src/wire/gen/kiam.ts';
import { createGrpcServer, type GrpcServer } from '../../src/wire/grpc-server.ts';
import { createKiamService } from '../../src/wire/kiam-service.ts';
import { type Authority, createAuthority, type Pair } from '../../src/wire/testing/certificates.ts';
import { unaryCall } from '../../src/wire/unary-call.ts';
import { watchCertificates } from '../../src/wire/watch-certificates.ts';
import { eventually } from './eventually.ts';

const never = new AbortController().signal;
const day = 86_400_000;

type Content = Pair & { readonly ca: string };

/** A mounted secret: the files are links into `..data`, which is a link to a folder with a date. */
async function mountSecret(content: Content) {
  const root = await mkdtemp(join(tmpdir(), 'podpass-secret-'));
  let version = 0;
  async function swap(next: Partial<Content>): Promise<void> {
    version += 1;
    const folder = `..2026_${version}`;
    await mkdir(join(root, folder));
    const all = { ...content, ...next };
    for (const name of ['cert', 'key', 'ca'] as const) await writeFile(join(root, folder, name), all[name]);
    await symlink(folder, join(root, '..data_tmp'));
    await rename(join(root, '..data_tmp'), join(root, '..data'));
    await rm(join(root, `..2026_${version - 1}`), { recursive: true, force: true });
  }
  await swap({});
  for (const name of ['cert', 'key', 'ca']) await symlink(join('..data', name), join(root, name));
  const files = { cert: join(root, 'cert'), key: join(root, 'key'), ca: join(root, 'ca') };
  return { files, swap, remove: () => rm(root, { recursive: true, force: true }) };
}

describe('certificates that change under load', { timeout: 120_000 }, () => {
  const stopping = new AbortController();
  const lines: string[] = [];
  let first: Authority;
  let second: Authority;
  let secret: Awaited<ReturnType<typeof mountSecret>>;
  let certificates: Certificates;
  let server: GrpcServer;
  let port: number;
  let agents: Content;
  const failures: string[] = [];
  let calls = 0;
  let loads: Promise<void>[] = [];

  before(async () => {
    first = await createAuthority('first');
    second = await createAuthority('second');
    secret = await mountSecret({ ...(await first.issue()), ca: first.cert });
    const logger = createLogger({ level: 'info', json: true, write: (line) => lines.push(line) });
    const clock = systemClock;
    certificates = await loadCertificates({ files: secret.files, clock, logger });
    watchCertificates({ certificates, files: secret.files, clock, logger, signal: stopping.signal });
    server = createGrpcServer({
      bind: '127.0.0.1:0',
      credentials: certificates.serverCredentials(),
      // Nothing is asked of the broker.
      services: [createKiamService({ broker: {} as never, clock })],
      clock,
      // Connections are short, so that the load makes new ones all the time.
      connections: { maxAge: 200 },
    });
    port = await server.listen();
    agents = { ...(await first.issue({ names: ['agent'], usage: 'client' })), ca: first.cert };
    loads = [1, 2, 3, 4].map(() => load());
    await eventually(() => assert.ok(calls > 100));
  });
  after(async () => {
    stopping.abort();
    await Promise.all(loads);
    server.close();
    await secret.remove();
  });

  /** Calls all the time, with whatever certificates agents have at the time, over a new connection now and then. */
  async function load(): Promise<void> {
    while (!stopping.signal.aborted) {
      const mine = agents;
      const client = await clientOf(mine);
      // An agent takes new certificates over at once.
      for (let i = 0; i < 50 && agents === mine && !stopping.signal.aborted; i += 1) {
        const outcome = await unaryCall<HealthStatus>((done) => client.getHealth({}, done), never);
        calls += 1;
        if (outcome.kind === 'failed') failures.push(outcome.error.message);
        await pause(1);
      }
      client.close();
    }
  }

  async function clientOf(content: Content): Promise<KiamServiceClient> {
    const agent = await mountSecret(content);
    const loaded = await loadCertificates({
      files: agent.files,
      clock: systemClock,
      logger: createLogger({ level: 'error', json: true, write: () => {} }),
    });
    await agent.remove();
    const channel = { credentials: loaded.channelCredentials() };
    const client = new KiamServiceClient(...channelTo({ host: 'localhost', ip: '127.0.0.1', port }, channel));
    return client;
  }

  /** The issuer of the certificate that a new connection is shown. */
  function shown(): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...agents }, () => {
        resolve(`${socket.getPeerCertificate().issuer.CN} ${socket.getPeerCertificate().fingerprint256}`);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }

  /** The bundle in use, as it was written: without line ends between certificates, as careless tools leave it. */
  function trusted(): string {
    return String(certificates.current.ca).trim().replaceAll('-----\n-----', '----------');
  }

  async function goesOn(): Promise<void> {
    const before = calls;
    await eventually(() => assert.ok(calls > before + 200));
    assert.deepEqual(failures.slice(0, 3), []);
  }

  it('are used for new connections after a rotation', async () => {
    const old = await shown();
    await secret.swap({ ...(await first.issue()), ca: first.cert });
    await eventually(async () => assert.notEqual(await shown(), old));
    await goesOn();
  });

  const bad: [what: string, change: () => Promise<Partial<Content>>, said: RegExp][] = [
    ['mismatched', async () => ({ key: (await first.issue()).key }), /is not the key of --cert/],
    [
      'expired',
      () => first.issue({ from: Date.now() - 2 * day, to: Date.now() - day }),
      /--cert .* expired at/,
    ],
    [
      'half written',
      async () => ({ cert: (await first.issue()).cert.slice(0, 300) }),
      /has no certificate in it/,
    ],
    ['empty', async () => ({ cert: '', key: '', ca: '' }), /has no certificate in it/],
    [
      'of another authority, without overlap',
      () => second.issue(),
      /does not come from an authority in --ca .* put the new one beside the old one/,
    ],
  ];
  for (const [what, change, said] of bad) {
    it(`are not used when they are ${what}: one line, and the last good set serves on`, async () => {
      const old = await shown();
      const from = lines.length;
      const good = {
        cert: String(certificates.current.cert),
        key: String(certificates.current.key),
        ca: String(certificates.current.ca),
      };
      await secret.swap({ ...good, ...(await change()) });
      await eventually(() => assert.ok(certificates.problem));
      assert.match(certificates.problem?.message ?? '', said);
      await certificates.reload();
      assert.equal(lines.length, from + 1);
      assert.equal(await shown(), old);
      await goesOn();
      await secret.swap(good);
      await eventually(() => assert.equal(certificates.problem, undefined));
    });
  }

  it('may change their authority, when both are trusted for a while', async () => {
    const both = first.cert + second.cert;
    // Trust first, on both sides; then the certificates; then the old authority goes.
    const old = { cert: String(certificates.current.cert), key: String(certificates.current.key) };
    await secret.swap({ ...old, ca: both });
    agents = { ...agents, ca: both };
    await eventually(() => assert.equal(trusted(), both));
    await goesOn();
    const next = await second.issue();
    await secret.swap({ ...next, ca: both });
    await eventually(async () => assert.match(await shown(), /^second /));
    agents = { ...(await second.issue({ names: ['agent'], usage: 'client' })), ca: second.cert };
    await goesOn();
    await goesOn();
    await secret.swap({ ...next, ca: second.cert });
    await eventually(() => assert.equal(trusted(), second.cert));
    await goesOn();
  });
});
