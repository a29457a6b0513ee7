import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { installOnce, isInstalled } from '../../src/sandbox/install-once.ts';
import { projectRoot } from '../parts/locations.ts';
import { runStep } from '../parts/run-step.ts';
import type { Client } from './find-clients.ts';
import { fillIn } from './manifest.ts';

export type BuiltClient =
  | {
      readonly kind: 'built';
      readonly command: readonly string[];
      /** Milliseconds; 0 where it was there. */
      readonly millis: number;
    }
  /** `reason` says what the machine lacks and how to get it. */
  | { readonly kind: 'missing'; readonly reason: string };

/** Rust takes four minutes of a busy machine. */
const stepBound = 15 * 60_000;

/** Built clients are kept here by the content of their folders, outside of what git sees. */
const cache = join(projectRoot, '.cache', 'conformance');

/**
 * Makes a client, once for each content of its folder.
 *
 * @param into where built clients are kept.
 * @throws Error with the end of what a step wrote, when one fails.
 */
export async function buildClient(client: Client, signal: AbortSignal, into = cache): Promise<BuiltClient> {
  const { name, dir, manifest } = client;
  const lacking = manifest.needs.filter((command) => !isOnPath(command));
  if (lacking.length > 0)
    return { kind: 'missing', reason: `${lacking.join(', ')} not on the PATH: install ${manifest.install}` };
  const out = join(into, `${name}-${client.fingerprint}`);
  const command = fillIn(manifest.run, { out, dir });
  if (isInstalled(out)) return { kind: 'built', command, millis: 0 };
  const start = performance.now();
  await installOnce({
    dir: out,
    clock: systemClock,
    signal,
    install: async () => {
      for (const step of manifest.build) {
        // A build must not slow what else the machine does.
        const args = ['-n', '10', ...fillIn(step, { out, dir })];
        await runStep('nice', args, { bound: stepBound, signal, cwd: dir, ifMissing: 'install coreutils' });
      }
    },
  });
  return { kind: 'built', command, millis: performance.now() - start };
}

function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
