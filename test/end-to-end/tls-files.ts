import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { type Certificates, type CertifiedKey, createCertificates } from '../../src/sandbox/certificates.ts';

/** Certificates of both sides, and the flags that name their files. */
export interface TlsFiles {
  readonly certificates: Certificates;
  readonly server: readonly string[];
  readonly agent: readonly string[];
}

/** A name that the system's DNS does not know: tests say what it stands for. */
export const manyServers = 'podpass-servers.test';

/** Makes a CA with both certificates and writes them into the folder. */
export async function writeTlsFiles(folder: string): Promise<TlsFiles> {
  const certificates = await createCertificates({
    clock: systemClock,
    random: systemRandom,
    serverNames: ['localhost', '127.0.0.1', manyServers],
    validDays: 1,
  });
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, certificates.ca);

  async function write(name: string, { cert, key }: CertifiedKey): Promise<readonly string[]> {
    const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
    await writeFile(files.cert, cert);
    await writeFile(files.key, key, { mode: 0o600 });
    return [`--cert=${files.cert}`, `--key=${files.key}`, `--ca=${ca}`];
  }

  return {
    certificates,
    server: await write('server', certificates.server),
    agent: await write('agent', certificates.agent),
  };
}
