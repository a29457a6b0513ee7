import { execFile } from 'node:child_process';

/** How a command ended. */
export type CommandResult =
  | { readonly kind: 'exited'; readonly status: number; readonly stdout: string; readonly stderr: string }
  /** It could not be started (`not-found`: there is no such file), took too long, or was ended by a signal. */
  | {
      readonly kind: 'failed';
      readonly reason: 'not-found' | 'timeout' | 'killed';
      readonly message: string;
    };

export interface RunOptions {
  /** Milliseconds after which it is killed. */
  readonly bound: number;
  readonly signal: AbortSignal;
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** Runs a command to its end without a shell. Never rejects but with the signal's reason. */
export type RunCommand = (
  file: string,
  args: readonly string[],
  options: RunOptions,
) => Promise<CommandResult>;

/** More output than this and the command is ended: nothing that is run here writes as much. */
const longestOutput = 16 * 1024 * 1024;

/** Runs a command of this machine. */
export const runCommand: RunCommand = (file, args, { bound, signal, env, cwd }) => {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const options = { env: { ...env }, timeout: bound, signal, maxBuffer: longestOutput };
    execFile(file, args, cwd === undefined ? options : { ...options, cwd }, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason);
      else if (!error) resolve({ kind: 'exited', status: 0, stdout, stderr });
      else if (error.code === 'ENOENT')
        resolve({ kind: 'failed', reason: 'not-found', message: `there is no ${file}` });
      else if (typeof error.code === 'number')
        resolve({ kind: 'exited', status: error.code, stdout, stderr });
      else if (error.killed && error.signal)
        resolve({
          kind: 'failed',
          reason: 'timeout',
          message: `${file} took longer than ${bound / 1_000} s`,
        });
      else resolve({ kind: 'failed', reason: 'killed', message: error.message });
    });
  });
};
