import { runCommand } from '../../src/sandbox/run-command.ts';

export interface StepOptions {
  readonly bound: number;
  readonly signal: AbortSignal;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to do when the command itself is not there. */
  readonly ifMissing: string;
}

const shownLines = 15;

/**
 * Runs one step of making a part, with this process's environment and `env` on top.
 *
 * @returns what it wrote to stdout.
 * @throws Error with the end of what it wrote, when it fails.
 */
export async function runStep(file: string, args: readonly string[], options: StepOptions): Promise<string> {
  const { bound, signal, cwd, env = {}, ifMissing } = options;
  const result = await runCommand(file, args, {
    bound,
    signal,
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (result.kind === 'failed')
    throw new Error(result.reason === 'not-found' ? `${result.message}: ${ifMissing}` : result.message);
  if (result.status === 0) return result.stdout;
  const lines = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-shownLines);
  throw new Error(`${file} ${args[0] ?? ''} ended with status ${result.status}:\n  ${lines.join('\n  ')}`);
}
