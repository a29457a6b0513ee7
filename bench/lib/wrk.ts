import { spawn } from 'node:child_process';

export interface HttpLoad {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Loads a URL with `wrk`, one thread.
 *
 * @throws when wrk is not there, and when any answer was not a success
 */
export async function runWrk({ url, connections, seconds, headers = {} }: HttpLoad): Promise<LoadResult> {
  const headerArgs = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...headerArgs, url];
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(missingWrk, { cause })));
    child.once('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`wrk ended with status ${status}: ${text}`));
    });
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await ended;
  return readReport(text);
}

export const missingWrk =
  'wrk, which makes the HTTP load, is not on PATH. Debian and Ubuntu: apt-get install wrk; macOS: brew install wrk';

/**
 * Reads what `wrk --latency` prints.
 *
 * @throws when it tells of errors: failed requests are fast, and would look like speed
 */
export function readReport(text: string): LoadResult {
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`wrk met errors:\n${text}`);
  const result = {
    requests: Number(/^\s*(\d+) requests in /m.exec(text)?.[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p50: readMillis(/^\s*50%\s+(\S+)/m.exec(text)?.[1]),
    p99: readMillis(/^\s*99%\s+(\S+)/m.exec(text)?.[1]),
  };
  if (Object.values(result).some(Number.isNaN)) throw new Error(`wrk's report cannot be read:\n${text}`);
  return result;
}

function readMillis(text = ''): number {
  const [, amount, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? [];
  const millis = { us: 0.001, ms: 1, s: 1_000, m: 60_000 }[unit ?? ''];
  return Number(amount) * (millis ?? Number.NaN);
}
