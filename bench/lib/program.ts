import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');

/** A program of the bench that runs beside podpass. It says what it has to say in lines of JSON. */
export interface Program {
  readonly pid: number;
  /** The next line. Rejects when the program ends without one. */
  next<T>(): Promise<T>;
  /** The first line that it writes from now on: of a program that reports by itself. */
  latest<T>(): Promise<T>;
  stop(): Promise<void>;
}

/**
 * Runs `bench/programs/NAME.ts`, bundled as podpass is: types stripped at run time would count as its memory.
 *
 * @param input is given to it as JSON, in its last argument.
 */
export async function startProgram(
  name: string,
  input: unknown,
  nodeFlags: readonly string[],
): Promise<Program> {
  const folder = await mkdtemp(join(root, 'bench/results/program-'));
  const file = join(folder, `${basename(name)}.mjs`);
  await build({
    entryPoints: [join(root, 'bench/programs', `${name}.ts`)],
    outfile: file,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'warning',
    banner: {
      js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);",
    },
  });
  const child = spawn(process.execPath, [...nodeFlags, file, JSON.stringify(input)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const reader = createInterface({ input: child.stdout });
  const waiting: string[] = [];
  const ended = once(reader, 'close');
  reader.on('line', (line) => waiting.push(line));

  async function next<T>(): Promise<T> {
    if (waiting.length === 0) await Promise.race([once(reader, 'line'), ended]);
    const line = waiting.shift();
    if (line !== undefined) return JSON.parse(line) as T;
    throw new Error(`bench/programs/${name}.ts ended (status ${child.exitCode}) and said nothing`);
  }

  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    pid: child.pid ?? -1,
    next,
    latest() {
      waiting.length = 0;
      return next();
    },
    async stop() {
      process.removeListener('exit', kill);
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
