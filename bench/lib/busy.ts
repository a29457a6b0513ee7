import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time of all cores together, in ticks since the machine started. */
export interface CpuTicks {
  readonly total: number;
  readonly idle: number;
  /** What the hypervisor gave to others. */
  readonly stolen: number;
}

/** Reads the first line of `/proc/stat`. @throws Error when it is another */
export function readTicks(text: string): CpuTicks {
  const [name, ...fields] = text.slice(0, text.indexOf('\n')).split(/\s+/);
  const [user, nice, system, idle, iowait, irq, softirq, steal] = fields.map(Number);
  const all = [user, nice, system, idle, iowait, irq, softirq, steal].map((ticks) => ticks ?? Number.NaN);
  const total = all.reduce((sum, ticks) => sum + ticks, 0);
  if (name !== 'cpu' || Number.isNaN(total)) throw new Error('/proc/stat has no line of all cores');
  return { total, idle: (idle ?? 0) + (iowait ?? 0), stolen: steal ?? 0 };
}

/** The share of the machine that was used or stolen between two moments, in percent. */
export function busyPercent(before: CpuTicks, after: CpuTicks): number {
  const total = after.total - before.total;
  return total === 0 ? 0 : (100 * (total - (after.idle - before.idle))) / total;
}

const lookMillis = 700;

/** From this on the figures of a run are doubted: rates and latencies first, CPU and memory hardly. */
export const busyFrom = 10;

/** How busy the machine is while the bench does nothing, in percent of all cores. */
export async function measureBusy(): Promise<number> {
  const read = () => readTicks(readFileSync('/proc/stat', 'utf8'));
  const before = read();
  await sleep(lookMillis);
  return busyPercent(before, read());
}
