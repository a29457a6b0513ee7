import { type ChannelCredentials, experimental } from '@grpc/grpc-js';
import type { Clock } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createCertificateProvider } from './certificate-provider.ts';
import { readTlsFiles, type TlsFiles, type TlsMaterial } from './tls.ts';
import type { ServerTls } from './tls-door.ts';

/** What a look at the files came to. */
export type ReloadOutcome =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'replaced' }
  /** What is there cannot be used; the last good set stays in use. */
  | { readonly kind: 'kept'; readonly problem: PodpassError };

/** The certificate of this process and the authorities it trusts, as they are on disk. */
export interface Certificates {
  /** The set in use. */
  readonly current: TlsMaterial;
  /** Set while what is on disk cannot be used. */
  readonly problem: PodpassError | undefined;
  /** Reads the files again. New connections use what was read; those that exist go on. Never rejects. */
  reload(): Promise<ReloadOutcome>;
  /** For a server: asks every client for a certificate of a trusted authority, fit for clients, as kiam does. */
  serverCredentials(): ServerTls;
  /** For a client: checks that the server's certificate is of a trusted authority and has the server's name. */
  channelCredentials(): ChannelCredentials;
}

export interface CertificatesOptions {
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Loads certificate, key and authorities.
 *
 * @throws PodpassError ERR_FILE or ERR_TLS when they cannot be used to begin with
 */
export async function loadCertificates({ files, clock, logger }: CertificatesOptions): Promise<Certificates> {
  let current = await readTlsFiles(files, clock.now());
  let problem: PodpassError | undefined;
  let reloading: Promise<ReloadOutcome> | undefined;
  const provider = createCertificateProvider(current);
  const replaced = new Set<(material: TlsMaterial) => void>();
  if (!current.signedByOwnAuthority) {
    logger.warn(
      files,
      'the certificate does not come from an authority in --ca; the other side must trust another one',
    );
  }

  async function readAgain(): Promise<ReloadOutcome> {
    const read = await readReplacement();
    if (read instanceof PodpassError) {
      // One line for each new fault, not one for each look.
      if (read.message !== problem?.message)
        logger.error({ code: read.code }, `certificates kept: ${read.message}`);
      problem = read;
      return { kind: 'kept', problem };
    }
    problem = undefined;
    if (isSame(read, current)) return { kind: 'unchanged' };
    current = read;
    provider.set(read);
    for (const listener of replaced) listener(read);
    logger.info({ expires: new Date(read.expires).toISOString() }, 'certificates replaced');
    return { kind: 'replaced' };
  }

  async function readReplacement(): Promise<TlsMaterial | PodpassError> {
    try {
      const read = await readTlsFiles(files, clock.now());
      if (read.signedByOwnAuthority || !current.signedByOwnAuthority) return read;
      return new PodpassError(
        'ERR_TLS_CHAIN',
        `--cert ${files.cert} does not come from an authority in --ca ${files.ca}, as the one before did. ` +
          'When authorities are changed, put the new one beside the old one in --ca first.',
      );
    } catch (error) {
      if (error instanceof PodpassError) return error;
      return new PodpassError('ERR_INTERNAL', `cannot check ${files.cert}`, { cause: error });
    }
  }

  return {
    get current() {
      return current;
    },
    get problem() {
      return problem;
    },
    reload() {
      reloading ??= readAgain().finally(() => {
        reloading = undefined;
      });
      return reloading;
    },
    serverCredentials: () => ({
      get current() {
        return current;
      },
      onReplaced(listener) {
        replaced.add(listener);
        return () => replaced.delete(listener);
      },
    }),
    channelCredentials: () => experimental.createCertificateProviderChannelCredentials(provider, provider),
  };
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && a.ca.equals(b.ca);
}
