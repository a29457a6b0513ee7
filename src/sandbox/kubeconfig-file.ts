import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';

/** Writes a kubeconfig for the sandbox's cluster, readable by its owner alone. */
export async function writeKubeconfig(
  path: string,
  { server, token, ca }: { readonly server: string; readonly token: string; readonly ca: string },
): Promise<void> {
  const name = 'podpass-sandbox';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  };
  await writeFile(path, stringify(config), { mode: 0o600 });
}
