import { readFile } from 'node:fs/promises';

/** Reads one of the kernel's tables of sockets. */
export type ReadSocketTable = (path: string) => Promise<string>;

const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
/** TCP_LISTEN in include/net/tcp_states.h. */
const listening = '0A';

/** How many sockets listen on a TCP port of this host, at whatever address. 0 where the kernel does not say (not Linux). */
export async function countPortListeners(
  port: number,
  read: ReadSocketTable = (path) => readFile(path, 'latin1'),
): Promise<number> {
  const texts = await Promise.all(tables.map((path) => read(path).catch(() => '')));
  return texts.reduce((sum, text) => sum + countIn(text, port), 0);
}

function countIn(table: string, port: number): number {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').filter((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/, 4);
    return state === listening && local.endsWith(end);
  }).length;
}
