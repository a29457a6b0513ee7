import { setFlagsFromString } from 'node:v8';

/**
 * What V8 is told, and why. Figures: docs/performance.md. Flags that are read at any time can be set from within, so
 * that no manifest has to know them.
 */
const flags = [
  // Requests leave nothing behind that is worth a large nursery. It grows to 32 MB under load otherwise.
  '--semi-space-growth-factor=1',
  // The middle compiler's memory is never given back: 10 MB of an agent. What is hot reaches the optimising one anyway.
  '--no-maglev',
];

/**
 * Makes V8 prefer less memory to fewer collections, for a process that does little for a long time on every node. To
 * be called before anything large is loaded: what has grown stays.
 */
export function keepHeapSmall(): void {
  for (const flag of flags) setFlagsFromString(flag);
}
