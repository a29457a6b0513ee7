import { setLogger } from '@grpc/grpc-js';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Sends the gRPC library's own lines (few, and only of errors unless GRPC_VERBOSITY says otherwise) to the process's
 * log instead of bare to standard error. For the whole process: to be called once, by the command.
 */
export function routeGrpcLog(logger: Logger): void {
  const to = (level: 'debug' | 'info' | 'warn') => (text?: unknown) =>
    logger[level]({ from: 'grpc' }, String(text));
  // What is an error to the library is one try of several here: who uses it says what came of it.
  setLogger({ error: to('warn'), info: to('info'), debug: to('debug') });
}
