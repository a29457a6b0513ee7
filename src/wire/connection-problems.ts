import type { Clock } from '../base/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ExplainConnection } from './explain-connection.ts';
import type { ServerAddress } from './server-addresses.ts';

export interface ConnectionProblemsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: what the library says of it. */
  readonly explain?: ExplainConnection | undefined;
}

/** Finds out why servers cannot be reached, and says each reason once. */
export interface ConnectionProblems {
  /**
   * A server did not take a call; `details` is what the library says. Calls `then` with the line that was found for
   * it: looking takes a moment, and the next server must not wait for that. Never rejects.
   */
  failed(server: ServerAddress, details: string, signal: AbortSignal, then: (problem: string) => void): void;
  /** No server could even be looked for. */
  unresolved(problem: string): void;
  /** A server took a call: what goes wrong from now on is said again. */
  forget(): void;
}

/** The library puts the time into some of its texts, so that they never repeat. */
const mostTold = 100;
/** A server is looked at again after this. Milliseconds. */
const lookAgainMillis = 30_000;

export function createConnectionProblems(options: ConnectionProblemsOptions): ConnectionProblems {
  const { clock, logger, explain } = options;
  /** When each server was last looked at. */
  const looked = new Map<string, number>();
  /** Faults that have been logged: a lasting one is one line at its beginning, and `connected` at its end. */
  const told = new Set<string>();

  function tell(problem: string): void {
    logger[told.has(problem) ? 'debug' : 'warn'](`cannot reach a server: ${problem}`);
    if (told.size >= mostTold) told.clear();
    told.add(problem);
  }

  async function look(
    server: ServerAddress,
    details: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (!explain) return details;
    const key = `${server.ip} ${server.port}`;
    const now = clock.monotonic();
    for (const [other, at] of looked) if (now - at >= lookAgainMillis) looked.delete(other);
    if (looked.has(key)) return undefined;
    looked.set(key, now);
    return (await explain(server, signal)) ?? details;
  }

  return {
    failed(server, details, signal, then) {
      look(server, details, signal).then(
        (found) => {
          if (found === undefined || signal.aborted) return;
          const problem = `${server.host} (${server.ip}:${server.port}): ${found}`;
          tell(problem);
          then(problem);
        },
        // Aborted.
        () => {},
      );
    },
    unresolved: tell,
    forget() {
      told.clear();
      looked.clear();
    },
  };
}
