import { readdirSync, readFileSync } from 'node:fs';

/** Memory of a process as the kernel counts it. MB are millions of bytes. */
export interface MemoryFacts {
  readonly residentMb: number;
  /** Not backed by a file: what nobody can share and what no other process's cache pays for. */
  readonly anonymousMb: number;
}

/** Reads `/proc/PID/smaps_rollup`, which is exact where `status` may be late by some pages for each thread. */
export function memoryOf(pid: number): MemoryFacts {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1_024) / 1e6;
  return { residentMb: field('Rss'), anonymousMb: field('Anonymous') };
}

/**
 * Seconds of CPU that the living threads of a process have used. From `schedstat`, which counts nanoseconds: the ticks
 * of `stat` are 10 ms, a third of what an idle agent may use in half a minute.
 */
export function cpuSecondsOf(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [used = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    nanoseconds += Number(used);
  }
  return nanoseconds / 1e9;
}

/** Bytes that a process has read and written so far, by any call that reads or writes: sockets, pipes and files. */
export interface Traffic {
  readonly read: number;
  readonly written: number;
}

/** Reads `/proc/PID/io`. Of a process that only talks to others it is what came over its connections, TLS and all. */
export function trafficOf(pid: number): Traffic {
  const text = readFileSync(`/proc/${pid}/io`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1]);
  return { read: field('rchar'), written: field('wchar') };
}
