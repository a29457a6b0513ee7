import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bounded } from '../../src/base/bounded.ts';
import { sleep, systemClock } from '../../src/base/clock.ts';

export interface PartProcess {
  readonly pid: number;
  /** How it ended, in words; `undefined` while it runs. */
  readonly ended: string | undefined;
  /** The last lines it wrote. */
  log(): string;
  /**
   * Polls `probe` until it answers true.
   *
   * @throws Error with the log, when the process ends before or `boundMillis` pass.
   */
  untilReady(
    probe: (signal: AbortSignal) => Promise<boolean>,
    boundMillis: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Leaves what it writes in the pipe, which is soon full; `readAgain` takes it out. */
  stopReading(): void;
  readAgain(): void;
  /** Closes the pipes that it writes into, as a reader that dies. */
  hangUp(): void;
  /** Sends `name` (default SIGKILL), and SIGKILL after `graceMillis`; resolves when it has ended. */
  stop(name?: NodeJS.Signals, graceMillis?: number): Promise<void>;
}

export interface ProcessOptions {
  /** What messages call it. */
  readonly title: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `env` is the whole environment. */
  readonly bareEnv?: boolean;
  readonly cwd?: string;
  /** A command that runs it, such as `prlimit`: put before its own. */
  readonly through?: readonly string[];
  /** An open file that takes what it writes to standard error, instead of its log here. */
  readonly stderr?: number;
  /** Told of each line it writes. */
  readonly onLine?: (line: string) => void;
}

const keptLines = 60;
const pollMillis = 50;
const running = new Set<ChildProcess>();

/** Where it exists (util-linux), a part dies with the test that started it, even when that one is killed. */
const setpriv = '/usr/bin/setpriv';

/** Starts a part. Its environment is this one with `env` on top, unless it is to be bare. */
export function startProcess(options: ProcessOptions): PartProcess {
  const { title, file, args, env = {}, bareEnv = false, cwd, through = [], stderr, onLine } = options;
  killAllAtExit();
  const [command, ...commandArgs] = existsSync(setpriv)
    ? [setpriv, '--pdeathsig', 'KILL', '--', ...through, file, ...args]
    : [...through, file, ...args];
  const child = spawn(command ?? file, commandArgs, {
    env: bareEnv ? { ...env } : { ...process.env, ...env },
    stdio: ['ignore', 'pipe', stderr ?? 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  running.add(child);
  const lines: string[] = [];
  let ended: string | undefined;
  const exited = new Promise<void>((resolve) => {
    function end(how: string) {
      ended = how;
      running.delete(child);
      resolve();
    }
    child.once('error', (error) => end(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      end(signal ? `was ended by ${signal}` : `ended with status ${code}`),
    );
  });
  const outputs = [child.stdout, child.stderr].filter((output) => output !== null);
  for (const input of outputs) {
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      onLine?.(line);
    });
  }

  return {
    pid: child.pid ?? -1,
    get ended() {
      return ended;
    },
    log: () => lines.join('\n'),
    stopReading() {
      for (const output of outputs) output.pause();
    },
    readAgain() {
      for (const output of outputs) output.resume();
    },
    hangUp() {
      for (const output of outputs) output.destroy();
    },
    async untilReady(probe, boundMillis, signal) {
      let refused: unknown = 'the probe said no';
      const result = await bounded(systemClock, boundMillis, signal, async (inner) => {
        while (ended === undefined) {
          try {
            if (await probe(inner)) return;
          } catch (error) {
            if (!inner.aborted) refused = error;
          }
          await sleep(systemClock, pollMillis, inner);
        }
      });
      if (ended === undefined && result.kind === 'done') return;
      const what = ended ?? `was not ready after ${boundMillis / 1_000} s (${refused})`;
      throw new Error(`${title} ${what}. Its last lines:\n${lines.join('\n')}`);
    },
    async stop(name = 'SIGKILL', graceMillis = 2_000) {
      if (ended !== undefined) return;
      child.kill(name);
      const timer = systemClock.setTimer(graceMillis, () => child.kill('SIGKILL'));
      await exited;
      timer.cancel();
    },
  };
}

let hooked = false;

/** However this process ends by itself, nothing it started stays behind. */
function killAllAtExit(): void {
  if (hooked) return;
  hooked = true;
  const killAll = () => {
    for (const child of running) child.kill('SIGKILL');
  };
  process.once('exit', killAll);
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      killAll();
      process.kill(process.pid, name);
    });
  }
}
