import { accessSync, constants, readFileSync } from 'node:fs';
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

/** As in linux/capability.h. */
const capNetAdmin = 12n;
const capSysAdmin = 21n;

/** Whether this process may make network namespaces and change what is in them. */
function mayMakeNamespaces(): boolean {
  try {
    const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    const held = BigInt(`0x${mask}`);
    return [capNetAdmin, capSysAdmin].every((bit) => (held >> bit) & 1n);
  } catch {
    return false;
  }
}

/** Not a command but a right: the path is that of the command that makes them. */
const namespaces: Part = {
  name: 'netns',
  version: 'network namespaces',
  source: { kind: 'system' },
  find() {
    const path = onPath('ip');
    if (!path) return { kind: 'missing', reason: 'ip is not on this machine: apt-get install iproute2' };
    if (mayMakeNamespaces()) return { kind: 'found', path };
    return {
      kind: 'missing',
      reason:
        'network namespaces need Linux, and root with CAP_NET_ADMIN and CAP_SYS_ADMIN: run the tests as root',
    };
  },
};

/** What a distribution brings. Tests use it where it is; .ci/run installs it. */
export const systemParts: readonly Part[] = [
  // Only Debian's own place: an etcd elsewhere on the PATH may be any version, and this one is wanted for its age.
  systemPart('debian-etcd', 'etcd 3.4, which refuses streamed lists', 'etcd-server', () =>
    onPath('etcd') === '/usr/bin/etcd' ? '/usr/bin/etcd' : undefined,
  ),
  systemPart('ip', 'iproute2, for network namespaces', 'iproute2', () => onPath('ip')),
  systemPart('iptables', 'iptables', 'iptables', () => onPath('iptables')),
  systemPart('nft', 'nftables', 'nftables', () => onPath('nft')),
  namespaces,
  systemPart('chromium', 'Chromium', 'chromium', () => onPath('chromium')),
];
