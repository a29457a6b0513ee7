import { readFileSync } from 'node:fs';
import { defaultLimits } from '../metadata/metadata-server.ts';

/** What a process needs beside its door: its own files, the server or the API, STS, tools. A quarter, but at least these. */
const leastReserve = 48;

/**
 * How many connections the door takes in a process that may open `openFiles` files. Above that the door makes room for
 * whoever has few; without files the kernel's newcomers are closed unseen, whosever they are, and no server is reached.
 */
export function connectionsWithin(openFiles: number): number {
  const free = Math.min(Math.floor((openFiles * 3) / 4), openFiles - leastReserve);
  return Math.max(1, Math.min(defaultLimits.connections, free));
}

/** How many files this process may open; infinite where the system does not tell. Node has raised it as far as it goes. */
export function readOpenFileLimit(path = '/proc/self/limits'): number {
  try {
    return parseOpenFileLimit(readFileSync(path, 'latin1'));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Of `/proc/PID/limits`: the soft limit. */
export function parseOpenFileLimit(text: string): number {
  const [, soft = ''] = /^Max open files\s+(\d+)\s/m.exec(text) ?? [];
  return soft === '' ? Number.POSITIVE_INFINITY : Number(soft);
}
