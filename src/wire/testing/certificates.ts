import { webcrypto } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsFiles } from '../tls.ts';

// The library's dependency injection wants this polyfill to be there before it loads, and asks it nothing that matters.
Object.assign(Reflect, {
  getMetadata: () => undefined,
  getOwnMetadata: () => undefined,
  defineMetadata: () => {},
});
const x509 = await import('@peculiar/x509');
x509.cryptoProvider.set(webcrypto as unknown as Crypto);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 86_400_000;

/** Certificate and key, as PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** PEM. */
  readonly cert: string;
  issue(options?: IssueOptions): Promise<Pair>;
}

export interface IssueOptions {
  /** Default: `localhost`. */
  readonly names?: readonly string[];
  /** Default: both, as most people issue them. */
  readonly usage?: 'server' | 'client' | 'both';
  /** Wall-clock milliseconds. Default: from yesterday to tomorrow, by the machine's clock, which TLS goes by. */
  readonly from?: number;
  readonly to?: number;
}

/** A certificate authority that lives as long as the test. */
export async function createAuthority(name = 'test authority'): Promise<Authority> {
  const keys = await generateKeys();
  const now = Date.now();
  const self = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    notBefore: new Date(now - 2 * day),
    notAfter: new Date(now + 30 * day),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    cert: self.toString('pem'),
    async issue({ names = ['localhost'], usage = 'both', from = now - day, to = now + day } = {}) {
      const pair = await generateKeys();
      const cert = await x509.X509CertificateGenerator.create({
        subject: `CN=${names[0]}`,
        issuer: self.subject,
        publicKey: pair.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        notBefore: new Date(from),
        notAfter: new Date(to),
        extensions: [
          new x509.BasicConstraintsExtension(false),
          new x509.ExtendedKeyUsageExtension([
            ...(usage === 'client' ? [] : [x509.ExtendedKeyUsage.serverAuth]),
            ...(usage === 'server' ? [] : [x509.ExtendedKeyUsage.clientAuth]),
          ]),
          new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
        ],
      });
      return { cert: cert.toString('pem'), key: await exportKey(pair.privateKey) };
    },
  };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ]) as Promise<webcrypto.CryptoKeyPair>;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey('pkcs8', key);
  return x509.PemConverter.encode(bytes, 'PRIVATE KEY');
}

/** A directory with `tls.crt`, `tls.key` and `ca.crt`, as a mounted secret has them. */
export interface CertificateDirectory {
  readonly files: TlsFiles;
  readonly path: string;
  write(content: Partial<Pair & { readonly ca: string }>): Promise<void>;
  remove(): Promise<void>;
}

export async function createCertificateDirectory(
  content: Partial<Pair & { readonly ca: string }> = {},
): Promise<CertificateDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'podpass-tls-'));
  await mkdir(path, { recursive: true });
  const files = { cert: join(path, 'tls.crt'), key: join(path, 'tls.key'), ca: join(path, 'ca.crt') };
  const directory: CertificateDirectory = {
    files,
    path,
    async write(changed) {
      for (const name of ['cert', 'key', 'ca'] as const) {
        if (changed[name] !== undefined) await writeFile(files[name], changed[name]);
      }
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
  await directory.write(content);
  return directory;
}
