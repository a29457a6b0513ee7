import { systemClock } from '../../src/base/clock.ts';
import { installOnce } from '../../src/sandbox/install-once.ts';
import { runStep } from './run-step.ts';

export interface GoBuildOptions {
  readonly moduleDir: string;
  /** Where the commands go. */
  readonly into: string;
  /** `-ldflags`. */
  readonly linking: string;
  readonly bound: number;
  readonly signal: AbortSignal;
  /** What to do where there is no Go. */
  readonly ifMissing: string;
}

/** Compiles every command of a Go module, once. */
export async function goBuild(options: GoBuildOptions): Promise<void> {
  const { moduleDir, into, linking, bound, signal, ifMissing } = options;
  await installOnce({
    dir: into,
    clock: systemClock,
    signal,
    install: async (dir) => {
      const args = ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', linking];
      await runStep('go', [...args, '-o', `${dir}/`, './...'], { bound, signal, cwd: moduleDir, ifMissing });
    },
  });
}
