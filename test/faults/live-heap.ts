import { liveHeapBytes } from '../../bench/lib/heap.ts';
import { eventually } from '../end-to-end/eventually.ts';
import type { PodpassProcess } from '../end-to-end/podpass-process.ts';

/** For a process whose heap is measured: two of them cannot both have the usual port. */
export const inspectableFlags = ['--inspect-port=127.0.0.1:0'];

/** Bytes that are alive in the heap of a process with these flags, after a collection. */
export async function liveHeapOf({ pid, log }: PodpassProcess): Promise<number> {
  const find = () => log.findLast(({ msg = '' }) => msg.includes('Debugger listening on'))?.msg;
  if (find() === undefined) process.kill(pid, 'SIGUSR1');
  const line = await eventually(() => {
    const said = find();
    if (said === undefined) throw new Error('the process does not open its inspector');
    return said;
  });
  return liveHeapBytes({ pid, lines: [line] });
}
