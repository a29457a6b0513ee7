import { execFile } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { promisify } from 'node:util';

/** What the figures depend on beside the code. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  /** Of the processes that are measured. */
  readonly node: string;
  /** Of the last minute, before the first measurement: on a busy machine ratios hold, and single figures do not. */
  readonly load: number;
  readonly commit: string;
}

export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    load: loadavg()[0] ?? Number.NaN,
    commit: await commitOf(),
  };
}

async function commitOf(): Promise<string> {
  try {
    const options = { cwd: import.meta.dirname, timeout: 5_000 };
    const { stdout } = await promisify(execFile)('git', ['describe', '--always', '--dirty'], options);
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}
