import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from './podpass.ts';

/**
 * Bytes that are alive in the heap of a running server, after a collection. Asks V8's inspector, which is opened by
 * SIGUSR1 and costs nothing before.
 */
export async function liveHeapBytes({ pid, lines }: Pick<ServerProcess, 'pid' | 'lines'>): Promise<number> {
  const address = () => lines.map((line) => /Debugger listening on (ws:\S+)/.exec(line)?.[1]).find(Boolean);
  if (address() === undefined) process.kill(pid, 'SIGUSR1');
  for (let i = 0; address() === undefined && i < 100; i += 1) await sleep(50);
  const socket = new WebSocket(address() ?? 'ws://127.0.0.1:9');
  try {
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error('the inspector of the server cannot be reached'));
    });
    // Twice: what finalizers let go is found by the second.
    await command(socket, 'HeapProfiler.collectGarbage');
    await command(socket, 'HeapProfiler.collectGarbage');
    const usage = await command(socket, 'Runtime.getHeapUsage');
    return Number(usage.usedSize) + Number(usage.backingStorageSize ?? 0);
  } finally {
    socket.close();
  }
}

let lastId = 0;

function command(socket: WebSocket, method: string): Promise<Record<string, unknown>> {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data));
      if (message.id !== id) return;
      if (message.error) reject(new Error(`${method}: ${message.error.message}`));
      else resolve(message.result);
    };
    socket.send(JSON.stringify({ id, method, params: {} }));
  });
}
