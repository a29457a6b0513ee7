import type { Clock } from '../base/clock.ts';
import type { Caller } from '../broker/broker.ts';
import { podFields } from '../telemetry/log-fields.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What a line of the access log tells. Method and path come from the client, as they stood in the request line. */
export interface AccessRecord {
  readonly method: string;
  readonly path: string;
  /** The client's address. */
  readonly address: string;
  readonly status: number;
  readonly milliseconds: number;
  /** Where it is known. */
  readonly caller: Caller | undefined;
}

export interface AccessLog {
  /** Whether an answer with this status is written at all. Ask before making a record: on the hot path it is not. */
  wants(status: number): boolean;
  write(record: AccessRecord): void;
}

/** Lines a second for failed requests; a pod in a tight loop must not fill the node's disk. */
const linesPerSecond = 100;
const longestPath = 256;

/**
 * One line for each request, with kiam's message, levels and fields: debug below 400, info from there. A query is
 * left out: nothing that a client needs to say there is ours to keep.
 */
export function createAccessLog(logger: Logger, clock: Clock): AccessLog {
  let second = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let suppressed = 0;

  /** Counts what is left out, and says so in the first line of a later second. */
  function permitted(): boolean {
    const now = Math.floor(clock.monotonic() / 1_000);
    if (now !== second) {
      second = now;
      lines = 0;
    }
    lines += 1;
    if (lines > linesPerSecond) suppressed += 1;
    return lines <= linesPerSecond;
  }

  return {
    wants: (status) => logger.isLevelEnabled(status < 400 ? 'debug' : 'info'),
    write({ method, path, address, status, milliseconds, caller }) {
      const failed = status >= 400;
      if (failed && !permitted()) return;
      const fields = {
        method,
        path: shown(path),
        addr: address,
        status,
        duration: Math.round(milliseconds),
        ...(caller && podFields(caller)),
        ...(suppressed > 0 && failed ? { suppressed } : {}),
      };
      if (failed) suppressed = 0;
      logger[failed ? 'info' : 'debug'](fields, 'processed request');
    },
  };
}

/** Bounded; what is not printable ASCII is percent-encoded, whatever format the log has. */
function shown(target: string): string {
  const path = target.slice(0, longestPath + 1).split('?', 1)[0] ?? '';
  const text = path.length > longestPath ? `${path.slice(0, longestPath)}...` : path;
  return text.replace(/[^!-~]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
