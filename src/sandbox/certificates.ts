import { webcrypto } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';

export interface CertificatesOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Names and addresses the server is reached by: `podpass-server`, `localhost`, `127.0.0.1`, `::1`. At least one. */
  readonly serverNames: readonly string[];
  /** How long all of them are valid, in days. */
  readonly validDays: number;
}

/** A certificate and its private key, both PEM. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

/** What kiam's way of TLS needs: one CA, which signed both sides. */
export interface Certificates {
  /** The CA's certificate, PEM. Its key is thrown away. */
  readonly ca: string;
  /** For `serverAuth` and `clientAuth`: kiam's health probe uses the server's certificate as a client. */
  readonly server: CertifiedKey;
  /** For `clientAuth` alone. */
  readonly agent: CertifiedKey;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMillis = 86_400_000;
/** Clocks of a cluster are never quite equal. */
const backdateMillis = 300_000;

/**
 * Makes a CA and the certificates of one server and one agent.
 *
 * @throws PodpassError ERR_SANDBOX without a name for the server.
 */
export async function createCertificates(options: CertificatesOptions): Promise<Certificates> {
  const { clock, random, serverNames, validDays } = options;
  if (serverNames.length === 0) {
    throw new PodpassError('ERR_SANDBOX', 'the server certificate needs at least one name or address');
  }
  const x509 = await loadX509();
  const now = clock.now();
  const validity = {
    notBefore: new Date(now - backdateMillis),
    notAfter: new Date(now + validDays * dayMillis),
  };
  const caKeys = await generateKeys();
  const caName = 'CN=podpass sandbox CA';
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(random),
      name: caName,
      ...validity,
      keys: caKeys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
      ],
    },
    webcrypto,
  );

  async function certify(
    commonName: string,
    names: readonly string[],
    usages: readonly string[],
  ): Promise<CertifiedKey> {
    const keys = await generateKeys();
    const alternatives = names.map((name) => ({
      type: /^[\d.]+$|:/.test(name) ? ('ip' as const) : ('dns' as const),
      value: name,
    }));
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: serialNumber(random),
        subject: `CN=${commonName}`,
        issuer: caName,
        ...validity,
        publicKey: keys.publicKey,
        signingKey: caKeys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([...usages]),
          new x509.SubjectAlternativeNameExtension(alternatives),
          await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
        ],
      },
      webcrypto,
    );
    return { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
  }

  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return {
    ca: `${ca.toString('pem')}\n`,
    server: await certify('podpass-server', serverNames, [serverAuth, clientAuth]),
    agent: await certify('podpass-agent', ['podpass-agent'], [clientAuth]),
  };
}

/**
 * Loads the X.509 library when it is first needed. It insists on the Reflect metadata API, of which it uses one
 * question: which constructor parameters to inject. Its classes have none, so "no metadata" is the whole answer.
 */
async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  if (!('getMetadata' in Reflect)) {
    Object.assign(Reflect, { getMetadata: () => undefined, getOwnMetadata: () => undefined });
  }
  return await import('@peculiar/x509');
}

function generateKeys() {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}(?=.)/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}

/** 16 random bytes in hex, positive and of full length. */
function serialNumber(random: Random): string {
  const bytes = random.bytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
