import type { ClientUnaryCall, ServiceError } from '@grpc/grpc-js';

/** What a call came to. */
export type UnaryOutcome<Response> =
  | { readonly kind: 'answered'; readonly response: Response }
  | { readonly kind: 'failed'; readonly error: ServiceError };

/**
 * Makes one call. What the server says no with is a value; aborting cancels the call.
 *
 * @throws the signal's reason, when that aborts
 */
export function unaryCall<Response>(
  start: (callback: (error: ServiceError | null, response: Response) => void) => ClientUnaryCall,
  signal: AbortSignal,
): Promise<UnaryOutcome<Response>> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const call = start((error, response) => {
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) reject(signal.reason);
      else resolve(error ? { kind: 'failed', error } : { kind: 'answered', response });
    });
    const onAbort = () => call.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
