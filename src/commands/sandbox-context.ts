import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';
import { systemRandom } from '../base/random.ts';
import { sandboxFolder } from '../sandbox/running-sandbox.ts';
import type { SandboxOptions } from '../sandbox/sandbox.ts';
import type { StsFault } from '../sandbox/sts/faults.ts';
import type { FlagValues } from './flags.ts';
import type { sandboxFlags } from './sandbox-flags.ts';

export type SandboxFlags = FlagValues<typeof sandboxFlags>;

/** The script that this process runs, and hands to the processes it starts: src/main.ts or the bundle. */
const script = resolve(process.argv[1] ?? '');

/** How a podpass process is started from this one. */
export const podpassCommand: readonly string[] = [process.execPath, script];

/** Where a running sandbox says that it is there. */
export const runningFolder = sandboxFolder(tmpdir(), process.getuid?.() ?? 0);

/** For what is downloaded once: beside the checkout, else in the person's own cache. */
export const cacheDir = existsSync(join(dirname(script), '..', 'package.json'))
  ? join(dirname(script), '..', '.cache')
  : join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'podpass');

/** @throws PodpassError ERR_SANDBOX when there are no such manifests. */
export function sandboxOptions(flags: SandboxFlags, signal: AbortSignal): SandboxOptions {
  return {
    manifests: findManifests(flags.manifests),
    stsFaults: stsFaultsOf(flags),
    podpass: podpassCommand,
    env: process.env,
    temporaryFolder: tmpdir(),
    clock: systemClock,
    random: systemRandom,
    signal,
  };
}

/** The faults that a person asked for. */
function stsFaultsOf({ stsLatency, stsThrottle }: SandboxFlags): readonly StsFault[] {
  const latency: StsFault = { kind: 'latency', millis: stsLatency };
  const throttle: StsFault = { kind: 'throttle', rate: stsThrottle / 100 };
  return [...(stsLatency > 0 ? [latency] : []), ...(stsThrottle > 0 ? [throttle] : [])];
}

function findManifests(given: string | undefined): string {
  const folder = given === undefined ? join(dirname(script), '..', 'examples') : resolve(given);
  if (existsSync(folder)) return folder;
  const text =
    given === undefined
      ? `the examples are not at ${folder}. Run from a checkout, or give --manifests.`
      : `--manifests: there is no folder ${folder}.`;
  throw new PodpassError('ERR_SANDBOX', text);
}
