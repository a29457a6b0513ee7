import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type Authority,
  type CertificateDirectory,
  createAuthority,
  createCertificateDirectory,
  type Pair,
} from './testing/certificates.ts';
import { checkTlsMaterial, readTlsFiles } from './tls.ts';

const hour = 3_600_000;
const now = Date.now();
const files = { cert: '/tls/tls.crt', key: '/tls/tls.key', ca: '/tls/ca.crt' };

let authority: Authority;
let pair: Pair;
before(async () => {
  authority = await createAuthority();
  pair = await authority.issue();
});

function check(changed: { cert?: string; key?: string; ca?: string } = {}, at = now) {
  const all = { ...pair, ca: authority.cert, ...changed };
  return checkTlsMaterial(
    { cert: Buffer.from(all.cert), key: Buffer.from(all.key), ca: Buffer.from(all.ca) },
    files,
    at,
  );
}

describe('certificate, key and authorities', () => {
  it('are used when they fit together', () => {
    const material = check();
    assert.equal(material.signedByOwnAuthority, true);
    assert.equal(material.cert.toString().trim(), pair.cert);
    assert.ok(Math.abs(material.expires - (now + 24 * hour)) < 60_000);
  });

  it('end with the first of them that ends', async () => {
    const soon = await authority.issue({ to: now + hour });
    const { expires } = check(soon);
    assert.ok(Math.abs(expires - (now + hour)) < 2_000);
  });

  it('are used with an authority beside that has expired, as bundles have them', async () => {
    const other = await createAuthority('other');
    const [early] = [await other.issue({ from: now - 4 * hour, to: now - hour })];
    const { signedByOwnAuthority } = check({ ca: early.cert + authority.cert });
    assert.equal(signedByOwnAuthority, true);
  });

  it('are used, and it is said, when the certificate is from an authority that is not among them', async () => {
    const other = await createAuthority('other');
    assert.equal(check({ ca: other.cert }).signedByOwnAuthority, false);
  });

  it('are handed on with a line end after each certificate, without which OpenSSL takes the first alone', async () => {
    const other = await createAuthority('other');
    const bundle = `# made by hand\n${authority.cert.trim()}${other.cert.trim()}`;
    assert.equal(check({ ca: bundle }).ca.toString(), `${authority.cert.trim()}\n${other.cert.trim()}\n`);
  });

  it('are not taken in by an authority of the same name', async () => {
    const impostor = await createAuthority();
    assert.equal(check({ ca: impostor.cert }).signedByOwnAuthority, false);
  });

  const faults: [what: string, change: () => Promise<Parameters<typeof check>[0]>, message: RegExp][] = [
    [
      'the key of another certificate',
      async () => ({ key: (await authority.issue()).key }),
      /--key \/tls\/tls\.key is not the key of --cert \/tls\/tls\.crt/,
    ],
    ['no key', async () => ({ key: 'hello' }), /--key \/tls\/tls\.key has no private key/],
    ['an encrypted key', async () => ({ key: encrypt(pair.key) }), /--key .* is encrypted/],
    ['an empty certificate file', async () => ({ cert: '' }), /--cert \/tls\/tls\.crt has no certificate/],
    ['a certificate file with a key in it', async () => ({ cert: pair.key }), /--cert .* has no certificate/],
    [
      'a garbled certificate',
      async () => ({ cert: garble(pair.cert) }),
      /--cert .* \(number 1\) that cannot be read/,
    ],
    [
      'an empty bundle',
      async () => ({ ca: '\n' }),
      /--ca \/tls\/ca\.crt has no certificate in it: nobody could be trusted/,
    ],
    [
      'a bundle whose second certificate is garbled',
      async () => ({ ca: authority.cert + garble(authority.cert) }),
      /--ca .* \(number 2\)/,
    ],
    [
      'a certificate that has expired',
      () => authority.issue({ from: now - 2 * hour, to: now - hour }),
      /--cert .* expired at /,
    ],
    [
      'a certificate for later',
      () => authority.issue({ from: now + hour, to: now + 2 * hour }),
      /--cert .* not valid before .*clock/,
    ],
    [
      'a bundle of which nothing is valid any more',
      async () => ({ ca: (await authority.issue({ from: now - 2 * hour, to: now - hour })).cert }),
      /--ca .* expired at/,
    ],
  ];
  for (const [what, change, message] of faults) {
    it(`are refused with ${what}`, async () => {
      const changed = await change();
      assert.throws(
        () => check(changed),
        (error: Error & { code?: string }) => {
          const isOfTime = / (expired at|is not valid before) /.test(error.message);
          assert.equal(error.code, isOfTime ? 'ERR_TLS_CHAIN' : 'ERR_TLS');
          assert.match(error.message, message);
          assert.ok(!error.message.includes('BEGIN'), 'the message holds nothing of the file');
          return true;
        },
      );
    });
  }
});

function encrypt(key: string): string {
  return createPrivateKey(key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
}

/** Still a PEM block, but not of a certificate. */
function garble(pem: string): string {
  const lines = pem.trim().split('\n');
  return [lines[0], 'AAAA', ...lines.slice(2), ''].join('\n');
}

describe('the files', () => {
  let directory: CertificateDirectory;
  before(async () => {
    directory = await createCertificateDirectory({ ...pair, ca: authority.cert });
  });
  after(() => directory.remove());

  it('are read', async () => {
    const material = await readTlsFiles(directory.files, now);
    assert.equal(material.ca.toString().trim(), authority.cert);
  });

  for (const flag of ['cert', 'key', 'ca'] as const) {
    it(`are named by flag and path when --${flag} is not there`, async () => {
      const missing = { ...directory.files, [flag]: '/nowhere/at/all' };
      await assert.rejects(readTlsFiles(missing, now), {
        code: 'ERR_FILE',
        message: new RegExp(`^cannot read --${flag} /nowhere/at/all: ENOENT`),
      });
    });
  }

  it('are refused when one is not a file', async () => {
    const pipe = join(directory.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, directory.path, '/dev/zero']) {
      await assert.rejects(readTlsFiles({ ...directory.files, key: path }, now), {
        code: 'ERR_FILE',
        message: `cannot read --key ${path}: it is not a file. Check the mount, the name and the permissions.`,
      });
    }
  });

  it('are refused when one is of a size that no PEM file has', async () => {
    const big = await createCertificateDirectory({ ...pair, ca: ' '.repeat(1024 * 1024 + 1) });
    await assert.rejects(readTlsFiles(big.files, now), { code: 'ERR_FILE', message: /1048577 bytes/ });
    await big.remove();
  });
});
