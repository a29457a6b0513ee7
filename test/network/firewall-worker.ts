// A process inside a namespace for the tests of the rule: a plain server that says its name, and a plain caller.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { serveCommands } from './worker.ts';

const opened = new Map<number, Socket>();
const servers = new Map<number, Server>();
const heldByServer = new Set<Socket>();
const pauseMillis = 5;
let count = 0;

/** What a call came to: what the server said, `CODE` of the error, or `silence`. */
function ask(socket: Socket, boundMillis: number): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end('silence'), boundMillis);
    const onData = (data: Buffer) => end(data.toString('latin1'));
    const onError = (error: NodeJS.ErrnoException) => end(error.code ?? error.message);
    const onClose = () => end('closed');
    function end(outcome: string) {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose);
      resolve(outcome);
    }
    socket.once('data', onData).once('close', onClose).on('error', onError);
    socket.write('who\n');
  });
}

const commands = {
  /** Serves on all addresses: says `name`, and the address of who asks. */
  async serve(port: number, name: string): Promise<void> {
    const server = createServer((socket) => {
      heldByServer.add(socket);
      socket.on('error', () => {}).on('close', () => heldByServer.delete(socket));
      const from = socket.remoteAddress?.replace('::ffff:', '');
      socket.on('data', () => socket.write(`${name} ${from}`));
    });
    servers.set(port, server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '::', resolve);
    });
  },

  async stopServing(port: number): Promise<void> {
    const closed = new Promise<void>((resolve) => servers.get(port)?.close(() => resolve()));
    for (const socket of heldByServer) socket.destroy();
    await closed;
  },

  async call(host: string, port: number, boundMillis: number, localAddress?: string): Promise<string> {
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    const outcome = await ask(socket, boundMillis);
    socket.destroy();
    return outcome;
  },

  /** A connection that stays open. */
  async open(host: string, port: number): Promise<{ readonly id: number; readonly said: string }> {
    count += 1;
    const socket = connect({ host, port });
    opened.set(count, socket);
    return { id: count, said: await ask(socket, 2_000) };
  },

  async askAgain(id: number, boundMillis: number): Promise<string> {
    const socket = opened.get(id);
    return socket ? ask(socket, boundMillis) : 'no such connection';
  },

  /** Calls again and again for so long, and says how often each outcome came. */
  async hammer(hosts: readonly string[], forMillis: number): Promise<Record<string, number>> {
    const outcomes: Record<string, number> = {};
    const end = performance.now() + forMillis;
    while (performance.now() < end) {
      for (const host of hosts) {
        const outcome = await commands.call(host, 80, 200);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
      await sleep(systemClock, pauseMillis, new AbortController().signal);
    }
    return outcomes;
  },
};

export type FirewallCommands = typeof commands;

if (process.send) serveCommands(commands);
