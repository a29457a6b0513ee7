import type { Clock } from '../base/clock.ts';
import type { PodTable } from './pod-table.ts';

export interface WaitOptions {
  readonly table: Pick<PodTable, 'onAddress'>;
  readonly clock: Clock;
  /** Canonical. */
  readonly address: string;
  readonly waitMillis: number;
  readonly signal: AbortSignal;
  /** Called at once and after each change that concerns the address, until it returns true. */
  readonly isDone: () => boolean;
}

/**
 * Waits until what is known of an address is enough, or the time is up.
 *
 * @throws the signal's reason when it aborts.
 */
export async function waitForAddress(options: WaitOptions): Promise<void> {
  const { table, clock, address, waitMillis, signal, isDone } = options;
  signal.throwIfAborted();
  if (isDone()) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = clock.setTimer(waitMillis, resolve);
  const unsubscribe = table.onAddress(address, () => {
    if (isDone()) resolve();
  });
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    timer.cancel();
    unsubscribe();
  }
}
