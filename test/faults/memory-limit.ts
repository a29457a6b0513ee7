import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Scope, stopWith } from '../parts/scope.ts';

/** A limit of memory, as kubelet sets it for a container. */
export interface MemoryLimit {
  /** Runs a command within it. */
  readonly through: readonly string[];
  /** How often the kernel killed somebody in it. */
  readonly kills: () => number;
  readonly how: string;
}

interface Version {
  readonly folder: string;
  readonly limit: string;
  readonly events: string;
}

const versions: readonly Version[] = [
  { folder: '/sys/fs/cgroup', limit: 'memory.max', events: 'memory.events' },
  { folder: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', events: 'memory.oom_control' },
];

let made = 0;

/**
 * Makes a control group of version 2 or 1. Where none can be made, the command runs without a limit, and its peak is
 * all there is to judge by: `how` says so.
 */
export function limitMemory(scope: Scope, bytes: number): MemoryLimit {
  for (const { folder, limit, events } of versions) {
    // Of version 2 where it names its controllers; a plain folder, where version 1 has one for each, would take any file.
    if (!existsSync(join(folder, 'cgroup.procs'))) continue;
    made += 1;
    const group = join(folder, `podpass-test-${process.pid}-${made}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    try {
      if (!existsSync(join(group, limit))) throw new Error('the controller of memory is not there');
      writeFileSync(join(group, limit), String(bytes));
      readFileSync(join(group, events));
    } catch {
      rmdirSync(group);
      continue;
    }
    // Processes of the scope that were started later have ended by then: it stops in reverse order.
    stopWith(scope, async () => rmdirSync(group));
    const join_ = 'echo $$ > "$0" && exec "$@"';
    return {
      through: ['/bin/sh', '-c', join_, join(group, 'cgroup.procs')],
      kills: () =>
        Number(/^oom_kill (\d+)/m.exec(readFileSync(join(group, events), 'utf8'))?.[1] ?? Number.NaN),
      how: `limit of ${bytes / 2 ** 20} MiB set by ${limit}`,
    };
  }
  return { through: [], kills: () => 0, how: 'no control group could be made: judged by the peak alone' };
}

/** The most resident memory that a process has had so far, in bytes. */
export function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}
