import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSecondsOf } from './process-facts.ts';

/** Shares of a core, in percent, that processes use while nothing happens. All are watched over the same time. */
export async function idleCpuPercent(pids: readonly number[], seconds: number): Promise<readonly number[]> {
  const began = performance.now();
  const before = pids.map(cpuSecondsOf);
  await sleep(seconds * 1_000);
  const after = pids.map(cpuSecondsOf);
  const elapsed = (performance.now() - began) / 1_000;
  return after.map((used, i) => (100 * (used - (before[i] ?? Number.NaN))) / elapsed);
}
