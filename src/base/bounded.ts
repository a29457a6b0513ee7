import type { Clock } from './clock.ts';

/** What became of a wait that has a bound. */
export type Bounded<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'timeout' };

/**
 * Runs `work` for at most `ms` milliseconds. The signal that `work` gets aborts when the time is up or when
 * `signal` does, so that nothing goes on unobserved.
 *
 * @throws what `work` throws, and the reason of `signal` when that aborts first.
 */
export async function bounded<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Bounded<T>> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const { promise: ended, resolve, reject } = Promise.withResolvers<Bounded<T>>();
  const timer = clock.setTimer(ms, () => {
    resolve({ kind: 'timeout' });
    controller.abort(new DOMException('the time allowed is up', 'TimeoutError'));
  });
  const onAbort = () => {
    reject(signal.reason);
    controller.abort(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  work(controller.signal).then((value) => resolve({ kind: 'done', value }), reject);
  try {
    return await ended;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}
