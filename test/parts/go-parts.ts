import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../../src/sandbox/install-once.ts';
import { goBuild } from './go-build.ts';
import { fingerprint, partsCache } from './locations.ts';
import type { FoundPart, Part, PartSource } from './part.ts';

const kubernetesVersion = '1.35.4';
const etcdVersion = '3.6.5';

const moduleDir = join(import.meta.dirname, 'kube-apiserver');
const moduleFiles = ['go.mod', 'kube-apiserver/main.go', 'etcd/main.go', 'kubectl/main.go'];

/** Cold it takes 3 to 10 minutes on two cores; a busy machine gets its time. */
const buildBound = 30 * 60_000;

/** Without its version stamped in, kubectl cannot read what the server says. */
function versionFlags(): string {
  const [major, minor] = kubernetesVersion.split('.');
  const stamps = { gitVersion: `v${kubernetesVersion}`, gitMajor: major, gitMinor: minor };
  const flags = Object.entries(stamps).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ['-s', '-w', ...flags].join(' ');
}

function builtDir(): string {
  const content = fingerprint(moduleFiles.map((file) => join(moduleDir, file)));
  return join(partsCache, `kubernetes-${kubernetesVersion}-${content}`);
}

const source: PartSource = {
  kind: 'made',
  name: 'kube-apiserver, etcd and kubectl (compiled with Go)',
  async make(signal) {
    // Whoever has envtest's binaries needs no Go.
    if (process.env.KUBEBUILDER_ASSETS) return;
    await goBuild({
      moduleDir,
      into: builtDir(),
      linking: versionFlags(),
      bound: buildBound,
      signal,
      ifMissing: 'install Go 1.25 or newer, or set KUBEBUILDER_ASSETS to a folder with these three',
    });
  },
};

function find(name: string): FoundPart {
  const assets = process.env.KUBEBUILDER_ASSETS;
  if (assets) {
    const path = join(assets, name);
    if (existsSync(path)) return { kind: 'found', path };
    return { kind: 'missing', reason: `${name} is not in KUBEBUILDER_ASSETS (${assets}): unset it` };
  }
  const dir = builtDir();
  if (isInstalled(dir)) return { kind: 'found', path: join(dir, name) };
  return {
    kind: 'missing',
    reason: `${name} is not built: run "npm run parts" (3 to 10 minutes, once, needs Go 1.25)`,
  };
}

/** Kubernetes' API server, its store and its client, compiled from their own modules. */
export const goParts: readonly Part[] = [
  {
    name: 'kube-apiserver',
    version: `Kubernetes ${kubernetesVersion}`,
    source,
    find: () => find('kube-apiserver'),
  },
  { name: 'etcd', version: `etcd ${etcdVersion}`, source, find: () => find('etcd') },
  { name: 'kubectl', version: `Kubernetes ${kubernetesVersion}`, source, find: () => find('kubectl') },
];
