import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Part } from './part.ts';

/** Folders of system commands that a person's PATH often lacks. */
const systemFolders = ['/usr/sbin', '/sbin'];

function onPath(command: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...systemFolders]) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

function systemPart(name: string, version: string, debianPackage: string, locate: () => string | undefined) {
  const part: Part = {
    name,
    version,
    source: { kind: 'system' },
    find() {
      const path = locate();
      if (path) return { kind: 'found', path };
      return { kind: 'missing', reason: `${name} is not on this machine: apt-get install ${debianPackage}` };
    },
  };
  return part;
}

/** What a distribution brings. Tests use it where it is; .ci/run installs it. */
export const systemParts: readonly Part[] = [
  // Only Debian's own place: an etcd elsewhere on the PATH may be any version, and this one is wanted for its age.
  systemPart('debian-etcd', 'etcd 3.4, which refuses streamed lists', 'etcd-server', () =>
    onPath('etcd') === '/usr/bin/etcd' ? '/usr/bin/etcd' : undefined,
  ),
  systemPart('ip', 'iproute2, for network namespaces', 'iproute2', () => onPath('ip')),
  systemPart('iptables', 'iptables', 'iptables', () => onPath('iptables')),
  systemPart('nft', 'nftables', 'nftables', () => onPath('nft')),
  systemPart('chromium', 'Chromium', 'chromium', () => onPath('chromium')),
];
