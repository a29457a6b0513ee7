import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { bounded } from '../base/bounded.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';

export interface ChildOptions {
  /** What messages call it: `podpass server`. */
  readonly title: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Told of each line it writes. */
  readonly onLine?: (line: string) => void;
}

/** A process that the sandbox started and ends again. */
export interface Child {
  readonly pid: number;
  /** The last lines it wrote, for a message about its end. */
  readonly lastLines: readonly string[];
  /** Resolves when it is ready by this URL's word, and rejects when it ends before or the bound passes. */
  untilReady(url: string, boundMillis: number, signal: AbortSignal): Promise<void>;
  /** Asks it to end, and kills it when it has not after `graceMillis`. */
  stop(graceMillis: number): Promise<void>;
}

const keptLines = 20;

/** @throws PodpassError ERR_SANDBOX when the process cannot be started. */
export function startChild({ title, command, env, clock, onLine }: ChildOptions): Child {
  const [file = '', ...args] = command;
  // Standard input is only there to end when we do, however that comes about.
  const child: ChildProcess = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const lastLines: string[] = [];
  let ended: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ended = `could not be started: ${error.message}`;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended = signal ? `was ended by ${signal}` : `ended with status ${code}`;
      resolve();
    });
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      onLine?.(line);
    });
  }

  return {
    pid: child.pid ?? -1,
    lastLines,
    async untilReady(url, boundMillis, signal) {
      const result = await bounded(clock, boundMillis, signal, async (inner) => {
        while (ended === undefined && !(await answersOk(url, inner))) await sleep(clock, 25, inner);
      });
      if (ended === undefined && result.kind === 'done') return;
      const what = ended ?? `was not ready after ${boundMillis / 1_000} s`;
      throw new PodpassError('ERR_SANDBOX', `${title} ${what}. Its last words:\n  ${lastLines.join('\n  ')}`);
    },
    async stop(graceMillis) {
      if (ended !== undefined) return;
      child.kill('SIGTERM');
      const timer = clock.setTimer(graceMillis, () => child.kill('SIGKILL'));
      await exited;
      timer.cancel();
    },
  };
}

async function answersOk(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(1_000)]) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
