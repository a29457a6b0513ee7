import type { HistoryEvent } from './history.ts';

/** A process that is killed, and started again at once, as kubelet would. */
export interface Mortal {
  readonly name: string;
  /** As `kill -9`. */
  kill(): Promise<void>;
  /** Resolves when it is ready. */
  start(): Promise<void>;
  /** How it ended by itself. */
  readonly ended: string | undefined;
}

/** Kills it, lets its supervisor start it again, and waits until it is ready. */
export async function killAndRestart(mortal: Mortal, record: (event: HistoryEvent) => void): Promise<void> {
  noteDeath(mortal, record);
  const from = performance.now();
  await mortal.kill();
  await mortal.start();
  record({ kind: 'fault', process: mortal.name, during: { from, to: performance.now() } });
}

/** Notes that it ended without having been killed. */
export function noteDeath({ name, ended }: Mortal, record: (event: HistoryEvent) => void): void {
  if (ended !== undefined) record({ kind: 'died', process: name, how: ended });
}
