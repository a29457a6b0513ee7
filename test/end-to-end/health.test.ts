// `podpass health` as a probe runs it, against a server with each fault.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createFakeClock } from '../../src/base/fake-clock.ts';
import { createSilentLogger } from '../../src/telemetry/logger.ts';
import { loadCertificates } from '../../src/wire/certificates.ts';
import { createGrpcServer } from '../../src/wire/grpc-server.ts';
import { createKiamService } from '../../src/wire/kiam-service.ts';
import {
  type Authority,
  createAuthority,
  createCertificateDirectory,
  type Pair,
} from '../../src/wire/testing/certificates.ts';
import { mainScript } from './podpass-process.ts';

const day = 86_400_000;
const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

interface Ended {
  readonly status: number | null;
  readonly lines: readonly string[];
}

async function runHealth(port: number, own: Pair & { ca: string }): Promise<Ended> {
  const { files, remove } = await createCertificateDirectory(own);
  cleanups.push(remove);
  const flags = [`--cert=${files.cert}`, `--key=${files.key}`, `--ca=${files.ca}`, '--timeout=3s'];
  const args = [mainScript, 'health', ...flags, `--server-address=localhost:${port}`];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { timeout: 30_000, env: {} }, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode, lines: `${stdout}${stderr}`.trim().split('\n') }),
    );
  });
}

/** @param at when its certificate is loaded: one that has expired since could not be loaded now */
async function startServer(own: Pair & { ca: string }, at = Date.now()): Promise<number> {
  const { files, remove } = await createCertificateDirectory(own);
  const certificates = await loadCertificates({
    files,
    clock: createFakeClock(at),
    logger: createSilentLogger(),
  });
  await remove();
  const clock = createFakeClock();
  const server = createGrpcServer({
    bind: '127.0.0.1:0',
    credentials: certificates.serverCredentials(),
    services: [createKiamService({ broker: {} as never, clock })],
    clock,
  });
  cleanups.push(() => server.close());
  return server.listen();
}

describe('podpass health', { timeout: 120_000 }, () => {
  let cluster: Authority;
  let stranger: Authority;
  let own: Pair & { ca: string };
  before(async () => {
    [cluster, stranger] = [await createAuthority('cluster'), await createAuthority('stranger')];
    own = { ...(await cluster.issue()), ca: cluster.cert };
  });

  it('says that a server is well', async () => {
    const { status, lines } = await runHealth(await startServer(own), own);
    assert.equal(status, 0, lines.join('\n'));
    assert.match(lines.at(-1) ?? '', /healthy: ok/);
  });

  const server = async (pair: Promise<Pair>, ca = cluster.cert) => startServer({ ...(await pair), ca });
  const faults: [what: string, start: () => Promise<number>, said: RegExp][] = [
    ['of another authority', () => server(stranger.issue()), /does not come from an authority in --ca/],
    [
      'with another name',
      () => server(cluster.issue({ names: ['kiam-server'] })),
      /is for kiam-server and not for localhost/,
    ],
    [
      'with a certificate for clients',
      () => server(cluster.issue({ usage: 'client' })),
      /is not for servers/,
    ],
    [
      'whose certificate has expired',
      async () => {
        const then = Date.now() - 12 * 3_600_000;
        const pair = await cluster.issue({ from: then - day / 2, to: then + 60_000 });
        return startServer({ ...pair, ca: cluster.cert }, then);
      },
      /has expired: /,
    ],
    [
      'that wants a certificate of another authority',
      () => server(cluster.issue(), stranger.cert),
      /does not accept this certificate/,
    ],
    [
      'without TLS',
      async () => {
        const plain = createServer((socket) => {
          socket.on('error', () => {});
          socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
        });
        await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
        cleanups.push(() => plain.close());
        return (plain.address() as AddressInfo).port;
      },
      /does not speak TLS/,
    ],
    ['that is not there', async () => 1, /nothing listens there \(connection refused\)/],
  ];
  for (const [what, start, said] of faults) {
    it(`says in one line what is wrong with a server ${what}, and fails`, async () => {
      const { status, lines } = await runHealth(await start(), own);
      assert.equal(status, 1);
      const problems = lines.filter((line) => !/level=(info|debug) /.test(line));
      assert.equal(problems.length, 1, lines.join('\n'));
      assert.match(problems[0] ?? '', said);
      assert.match(problems[0] ?? '', /^podpass: error: .*[^?.][?.]$/);
    });
  }
});
