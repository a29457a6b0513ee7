import { spawn } from 'node:child_process';
import { messageOf } from '../../src/base/errors.ts';
import { partPath } from '../parts/catalogue.ts';
import { type Scope, stopWith } from '../parts/scope.ts';

/** What a worker can be told to do. What goes in and comes out crosses a process border, as JSON. */
// biome-ignore lint/suspicious/noExplicitAny: parameters are checked where a worker is called, not here
export type Commands = Readonly<Record<string, (...args: any[]) => unknown>>;

/** The commands of a worker, as the test calls them. */
export type Worker<C extends Commands> = {
  readonly [K in keyof C]: (...args: Parameters<C[K]>) => Promise<Awaited<ReturnType<C[K]>>>;
};

interface Call {
  readonly id: number;
  readonly command: string;
  readonly args: readonly unknown[];
}

type Outcome =
  | { readonly id: number; readonly kind: 'done'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };

const callMillis = 60_000;

/**
 * Starts a script inside a namespace, for as long as the scope lasts. A process cannot change its own network, so
 * what is to be done in another one is done by a process there, which ends when this one does.
 *
 * @param script one that calls `serveCommands`
 */
export function startWorker<C extends Commands>(scope: Scope, namespace: string, script: string): Worker<C> {
  const child = spawn(partPath('ip'), ['netns', 'exec', namespace, process.execPath, script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // JSON alone would lose bytes and undefined.
    serialization: 'advanced',
  });
  const waiting = new Map<number, (outcome: Outcome) => void>();
  let ended: string | undefined;
  const exited = new Promise<void>((resolve) => {
    const end = (how: string) => {
      ended = `the worker ${script} ${how}`;
      for (const [id, settle] of waiting) settle({ id, kind: 'failed', message: ended });
      resolve();
    };
    child.once('error', (error) => end(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => end(`ended with ${signal ?? code}`));
  });
  child.on('message', (message) => {
    const outcome = message as Outcome;
    waiting.get(outcome.id)?.(outcome);
  });
  stopWith(scope, async () => {
    child.kill('SIGKILL');
    await exited;
  });

  let lastId = 0;
  async function call(command: string, args: readonly unknown[]): Promise<unknown> {
    if (ended !== undefined) throw new Error(ended);
    lastId += 1;
    const id = lastId;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    waiting.set(id, resolve);
    const message = `${command} took longer than ${callMillis} ms`;
    const timer = setTimeout(() => resolve({ id, kind: 'failed', message }), callMillis);
    child.send({ id, command, args } satisfies Call);
    const outcome = await promise;
    clearTimeout(timer);
    waiting.delete(id);
    if (outcome.kind === 'done') return outcome.value;
    throw new Error(outcome.message);
  }

  return new Proxy({} as Worker<C>, {
    // A promise would be looked for a `then`.
    get: (_, name) => (name === 'then' ? undefined : (...args: unknown[]) => call(String(name), args)),
  });
}

/** The other side: does what the test says until the test is gone. */
export function serveCommands(commands: Commands): void {
  process.once('disconnect', () => process.exit());
  process.on('message', async (message) => {
    const { id, command, args } = message as Call;
    const outcome = await perform(id, async () => commands[command]?.(...args));
    process.send?.(outcome);
  });
}

async function perform(id: number, work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { id, kind: 'done', value: await work() };
  } catch (thrown) {
    return { id, kind: 'failed', message: messageOf(thrown) };
  }
}
