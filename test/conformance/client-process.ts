import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** What a client came to in one call. */
export type Answer =
  | { readonly kind: 'identity'; readonly arn: string }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }
  /** It did not answer within the bound. */
  | { readonly kind: 'hangs' }
  /** It ended, or wrote what is no answer. `message` has its last words. */
  | { readonly kind: 'broken'; readonly message: string };

/** A client that runs. One call at a time. */
export interface ClientProcess {
  /** What it says it is: `boto3 1.44.8`. */
  readonly sdk: string;
  /** `new`: with a client object made anew. */
  call(how?: 'call' | 'new'): Promise<Answer>;
  /** Ends it at once. */
  stop(): Promise<void>;
}

export interface ClientOptions {
  readonly command: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds for one call. */
  readonly callBound: number;
}

const startBound = 60_000;
const keptBytes = 2_000;
/** Messages of SDKs may name every provider they tried. */
const longestMessage = 1_500;

/** Where it exists (util-linux), a client dies with the run, even when that one is killed. */
const setpriv = '/usr/bin/setpriv';

/**
 * Starts a client and waits for the line in which it says what it is.
 *
 * @throws Error with its last words where it says nothing, or something else.
 */
export async function startClient({ command, env, callBound }: ClientOptions): Promise<ClientProcess> {
  const [file = '', ...args] = existsSync(setpriv)
    ? [setpriv, '--pdeathsig', 'KILL', '--', ...command]
    : command;
  // A group of its own: what it starts ends with it.
  const child = spawn(file, args, { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-keptBytes);
  });
  child.stdin.on('error', () => {});
  let ended: string | undefined;
  let awaited: ((line: string | undefined) => void) | undefined;
  const end = (how: string) => {
    ended ??= how;
    awaited?.(undefined);
  };
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      end(`could not be started: ${error.message}`);
      resolve();
    });
    child.once('exit', (code, signal) => {
      end(signal ? `was ended by ${signal}` : `ended with status ${code}`);
      resolve();
    });
  });
  createInterface({ input: child.stdout }).on('line', (line) => awaited?.(line));

  /** The next line; `undefined` when it has ended; or `timeout`. */
  function nextLine(bound: number): Promise<string | undefined | { readonly timeout: true }> {
    if (ended !== undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish({ timeout: true }), bound);
      function finish(result: string | undefined | { readonly timeout: true }) {
        awaited = undefined;
        clearTimeout(timer);
        resolve(result);
      }
      awaited = finish;
    });
  }

  async function stop(): Promise<void> {
    if (ended === undefined && child.pid !== undefined) {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
    }
    await exited;
  }

  const broken = (line: string | undefined): Answer => ({
    kind: 'broken',
    message:
      `${line === undefined ? (ended ?? 'it ended') : `it wrote ${line.slice(0, 200)}`}. ${words}`.trim(),
  });

  const hello = await nextLine(startBound);
  const sdk = typeof hello === 'string' ? helloIn(hello) : undefined;
  if (sdk === undefined) {
    await stop();
    throw new Error(
      `${command.join(' ')} did not say what it is: ${typeof hello === 'string' ? hello : ended}. ${words}`,
    );
  }

  return {
    sdk,
    stop,
    async call(how = 'call') {
      const line = nextLine(callBound);
      if (ended === undefined) child.stdin.write(`${how}\n`);
      const got = await line;
      if (typeof got === 'object') return { kind: 'hangs' };
      return (got === undefined ? undefined : parseAnswer(got)) ?? broken(got);
    },
  };
}

function helloIn(line: string): string | undefined {
  const { sdk } = parseObject(line) ?? {};
  return typeof sdk === 'string' ? sdk : undefined;
}

/** Reads a line that answers a call; `undefined` where it is none. */
export function parseAnswer(line: string): Answer | undefined {
  const { arn, code, message } = parseObject(line) ?? {};
  if (typeof arn === 'string') return { kind: 'identity', arn };
  if (typeof code !== 'string') return undefined;
  return { kind: 'error', code, message: String(message ?? '').slice(0, longestMessage) };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
