import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Somebody who may talk to the API server with a fixed token. */
export interface ClusterUser {
  readonly name: string;
  readonly token: string;
  readonly groups?: readonly string[];
}

export interface ClusterFiles {
  readonly tokens: string;
  readonly publicKey: string;
  readonly privateKey: string;
}

/** Writes what the API server reads at its start: who may come in, and the keys that sign service-account tokens. */
export function writeClusterFiles(dir: string, users: readonly ClusterUser[]): ClusterFiles {
  const files = {
    tokens: join(dir, 'tokens.csv'),
    publicKey: join(dir, 'service-account.pub'),
    privateKey: join(dir, 'service-account.key'),
  };
  const rows = users.map(
    ({ name, token, groups = [] }) => `${token},${name},${name},"${groups.join(',')}"\n`,
  );
  writeFileSync(files.tokens, rows.join(''), { mode: 0o600 });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(files.publicKey, publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(files.privateKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return files;
}

/** A kubeconfig for one token, as JSON, which is YAML. */
export function kubeconfigText(url: string, caPem: string, token: string): string {
  const name = 'podpass-test';
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name,
          cluster: { server: url, 'certificate-authority-data': Buffer.from(caPem).toString('base64') },
        },
      ],
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    },
    null,
    2,
  );
}
