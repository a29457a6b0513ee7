import { join } from 'node:path';
import { isInstalled } from '../../src/sandbox/install-once.ts';
import { goBuild } from './go-build.ts';
import { fingerprint, partsCache } from './locations.ts';
import type { Part } from './part.ts';

/** The one that kiam 4.2 is built with. */
const grpcVersion = '1.27.1';

const moduleDir = join(import.meta.dirname, 'kiam-peer');
const moduleFiles = ['go.mod', 'go.sum', 'main.go', 'call.go', 'serve.go', 'tls.go', 'wire.go'];

/** Cold it takes half a minute of a core; a busy machine gets its time. */
const buildBound = 10 * 60_000;

function builtDir(): string {
  return join(partsCache, `kiam-peer-${fingerprint(moduleFiles.map((file) => join(moduleDir, file)))}`);
}

/** Either half of kiam, as far as the other one can tell: a small program on kiam's gRPC library. */
export const kiamPeerPart: Part = {
  name: 'kiam-peer',
  version: `gRPC-Go ${grpcVersion}`,
  source: {
    kind: 'made',
    name: 'kiam-peer (compiled with Go)',
    make: (signal) =>
      goBuild({
        moduleDir,
        into: builtDir(),
        linking: '-s -w',
        bound: buildBound,
        signal,
        ifMissing: 'install Go 1.25 or newer',
      }),
  },
  find() {
    const dir = builtDir();
    if (isInstalled(dir)) return { kind: 'found', path: join(dir, 'kiam-peer') };
    return {
      kind: 'missing',
      reason: 'kiam-peer is not built: run "npm run parts" (a minute, once, needs Go 1.25)',
    };
  },
};
