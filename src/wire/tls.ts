import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { constants, open } from 'node:fs/promises';
import { messageOf, PodpassError } from '../base/errors.ts';

/** kiam's `--cert`, `--key` and `--ca`: paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** A certificate, its key and whom it trusts, checked to fit together. */
export interface TlsMaterial {
  /** PEM: the certificate, and the intermediate authorities behind it. */
  readonly cert: Buffer;
  /** PEM, unencrypted. A secret. */
  readonly key: Buffer;
  /** PEM: the authorities that the other side's certificate must come from. */
  readonly ca: Buffer;
  /** When the first of certificate and authorities ends, in milliseconds since the Unix epoch. */
  readonly expires: number;
  /** When the certificate begins to be valid, in milliseconds since the Unix epoch. */
  readonly begins: number;
  /**
   * Whether the certificate comes from an authority of this very bundle. It need not: agents and servers may have
   * different authorities.
   */
  readonly signedByOwnAuthority: boolean;
}

/** The largest file that is read: a bundle of some hundred authorities fits. */
const largestFile = 1024 * 1024;

/**
 * Reads and checks the three files. `now` is wall-clock milliseconds.
 *
 * @throws PodpassError ERR_FILE (a file cannot be read), ERR_TLS (what is in it cannot be used) or ERR_TLS_CHAIN (not now). The message names
 * the flag and the file, and never what is in it.
 */
export async function readTlsFiles(files: TlsFiles, now: number): Promise<TlsMaterial> {
  const [cert, key, ca] = await Promise.all([
    read('cert', files.cert),
    read('key', files.key),
    read('ca', files.ca),
  ]);
  return checkTlsMaterial({ cert, key, ca }, files, now);
}

async function read(flag: keyof TlsFiles, path: string): Promise<Buffer> {
  try {
    // A pipe without a writer would be waited for by a plain open.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw unreadable(flag, path, 'it is not a file');
    if (stat.size > largestFile)
      throw unreadable(flag, path, `it has ${stat.size} bytes: that is no PEM file`);
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof PodpassError) throw cause;
    throw unreadable(flag, path, messageOf(cause), cause);
  }
}

function unreadable(flag: keyof TlsFiles, path: string, what: string, cause?: unknown): PodpassError {
  const message = `cannot read --${flag} ${path}: ${what}. Check the mount, the name and the permissions.`;
  return new PodpassError('ERR_FILE', message, cause === undefined ? {} : { cause });
}

/**
 * Checks that the certificate is valid now, that the key is the certificate's, and that there is an authority to
 * trust. `files` is for the messages.
 *
 * @throws PodpassError ERR_TLS, or ERR_TLS_CHAIN when it is only not valid now
 */
export function checkTlsMaterial(
  { cert, key, ca }: { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer },
  files: TlsFiles,
  now: number,
): TlsMaterial {
  const [leaf, ...intermediates] = readCertificates('cert', files.cert, cert);
  const authorities = readCertificates('ca', files.ca, ca);
  if (!leaf) throw unusable('cert', files.cert, 'has no certificate in it');
  if (authorities.length === 0)
    throw unusable('ca', files.ca, 'has no certificate in it: nobody could be trusted');

  checkDates('cert', files.cert, leaf, now);
  if (!leaf.checkPrivateKey(readKey(files.key, key))) {
    throw unusable(
      'key',
      files.key,
      `is not the key of --cert ${files.cert}: both must come from one issuance`,
    );
  }
  const living = authorities.filter((authority) => isValid(authority, now));
  const [first] = authorities;
  if (living.length === 0 && first) checkDates('ca', files.ca, first, now);

  const chain = chainOf(leaf, intermediates, living);
  return {
    cert: toPem([leaf, ...intermediates]),
    key,
    ca: toPem(authorities),
    expires: Math.min(...[leaf, ...chain].map((certificate) => certificate.validToDate.getTime())),
    begins: leaf.validFromDate.getTime(),
    signedByOwnAuthority: chain.some((certificate) => living.includes(certificate)),
  };
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readCertificates(flag: keyof TlsFiles, path: string, pem: Buffer): X509Certificate[] {
  return [...pem.toString('latin1').matchAll(pemCertificate)].map(([block], index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw unusable(flag, path, `has a certificate (number ${index + 1}) that cannot be read`, cause);
    }
  });
}

/**
 * What was checked is what is used. OpenSSL would end a bundle where a line end is missing between two certificates, as
 * there is after `cat old.pem new.pem` of files that do not end with one, and trust only the first.
 */
function toPem(certificates: readonly X509Certificate[]): Buffer {
  return Buffer.from(certificates.map(String).join(''));
}

function readKey(path: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const encrypted = pem.includes('ENCRYPTED');
    throw unusable(
      'key',
      path,
      encrypted ? 'is encrypted: give it without a passphrase' : 'has no private key in it',
      cause,
    );
  }
}

function isValid(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime();
}

function checkDates(flag: keyof TlsFiles, path: string, certificate: X509Certificate, now: number): void {
  if (certificate.validToDate.getTime() <= now) {
    throw unverified(flag, path, `expired at ${certificate.validToDate.toISOString()}: issue a new one`);
  }
  if (certificate.validFromDate.getTime() > now) {
    const from = certificate.validFromDate.toISOString();
    throw unverified(flag, path, `is not valid before ${from}: is the clock of this host right?`);
  }
}

/** The certificates above `leaf`, as far as they can be followed: through the file's own, to an authority. */
function chainOf(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let below = leaf; chain.length <= intermediates.length; ) {
    const isAbove = (above: X509Certificate) => below.checkIssued(above) && below.verify(above.publicKey);
    const authority = authorities.find(isAbove);
    if (authority) return [...chain, authority];
    const above = intermediates.find((candidate) => !chain.includes(candidate) && isAbove(candidate));
    if (!above) return chain;
    chain.push(above);
    below = above;
  }
  return chain;
}

function unverified(flag: keyof TlsFiles, path: string, what: string): PodpassError {
  return new PodpassError('ERR_TLS_CHAIN', `--${flag} ${path} ${what}.`);
}

function unusable(flag: keyof TlsFiles, path: string, what: string, cause?: unknown): PodpassError {
  return new PodpassError('ERR_TLS', `--${flag} ${path} ${what}.`, cause === undefined ? {} : { cause });
}
