/** What a part lives in: a `node:test` context, or just a signal. It is stopped when that ends. */
export interface Scope {
  readonly signal: AbortSignal;
  after?(stop: () => Promise<void>): void;
}

/** Has `stop` called at the end of the scope: after the test, or when the signal aborts. */
export function stopWith(scope: Scope, stop: () => Promise<void>): void {
  if (scope.after) scope.after(stop);
  else scope.signal.addEventListener('abort', () => void stop(), { once: true });
}
