// A pod: asks as it is told to.
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type Load, type LoadOptions, startLoad } from './load.ts';
import { serveCommands } from './worker.ts';

/** One HTTP request on a connection of its own. */
export interface Question {
  readonly host: string;
  readonly port?: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** One of the pod's own addresses. */
  readonly from?: string;
  readonly boundMillis?: number;
}

export type PodAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** No answer; `code` is the system's: ECONNREFUSED, ECONNRESET, ETIMEDOUT. */
  | { readonly kind: 'failed'; readonly code: string };

/** Bytes on a connection of its own, in pieces, each a while after the one before. */
export interface Bytes {
  readonly host: string;
  readonly port?: number;
  readonly from?: string;
  readonly pieces: readonly string[];
  readonly pauseMillis?: number;
  readonly boundMillis?: number;
}

function ask(question: Question): Promise<PodAnswer> {
  const { host, port = 80, path, method = 'GET', headers = {}, from, boundMillis = 3_000 } = question;
  const { promise, resolve } = Promise.withResolvers<PodAnswer>();
  const sent = request({
    host,
    port,
    path,
    method,
    headers,
    agent: false,
    signal: AbortSignal.timeout(boundMillis),
    ...(from === undefined ? {} : { localAddress: from }),
  });
  sent.once('error', (error) => resolve({ kind: 'failed', code: codeOf(error) }));
  sent.once('response', (response) => {
    response.setEncoding('utf8');
    response.toArray().then(
      (chunks) => resolve({ kind: 'answered', status: response.statusCode ?? 0, body: chunks.join('') }),
      (error) => resolve({ kind: 'failed', code: codeOf(error) }),
    );
  });
  sent.end();
  return promise;
}

/** Everything that came back until the other side closed or the bound passed. */
async function say(bytes: Bytes): Promise<string> {
  const { host, port = 80, from, pieces, pauseMillis = 0, boundMillis = 3_000 } = bytes;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) });
  const timer = setTimeout(resolve, boundMillis);
  let text = '';
  socket.setNoDelay(true);
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.once('error', () => resolve());
  socket.once('close', () => resolve());
  for (const piece of pieces) {
    socket.write(piece, 'latin1');
    if (pauseMillis > 0) await new Promise((next) => setTimeout(next, pauseMillis));
  }
  await closed;
  clearTimeout(timer);
  socket.destroy();
  return text;
}

let held: Socket | undefined;

/** Opens a connection, asks on it, and leaves it open. What was answered. */
async function hold(host: string, text: string): Promise<string> {
  held = connect({ host, port: 80 });
  held.on('error', () => {});
  return askHeld(text, 3_000);
}

/** Asks on the connection that was left open: the first that is answered, or nothing. */
function askHeld(text: string, boundMillis: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve(''), boundMillis);
  held?.once('data', (data) => resolve(data.toString('latin1')));
  held?.once('close', () => resolve(''));
  held?.write(text);
  return promise.finally(() => clearTimeout(timer));
}

function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name);
}

let load: Load | undefined;

function underWay(): Load {
  if (load === undefined) throw new Error('there is no load');
  return load;
}

const commands = {
  ask,
  say,
  hold,
  askHeld,
  async startLoad(options: LoadOptions) {
    load = startLoad(options);
  },
  untilAnswered: (more: number) => underWay().untilAnswered(more),
  stopLoad: () => underWay().stop(),
};

export type PodCommands = typeof commands;

if (process.send) serveCommands(commands);
