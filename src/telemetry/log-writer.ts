import type { Clock } from '../base/clock.ts';

/** Takes lines of the log, and never keeps anybody waiting for whoever reads them. */
export interface LogWriter {
  write(line: string): void;
  /** Writes what waits, as far as somebody takes it. For the last moment of a process. */
  flush(): void;
}

export interface LogWriterOptions {
  /**
   * Writes bytes at once, and says how many were taken.
   *
   * @throws an error with the system's `code`; `EAGAIN` where nobody takes any at the moment
   */
  readonly put: (bytes: Uint8Array) => number;
  readonly clock: Clock;
  /** Told of each line that is lost. */
  readonly onLost: () => void;
  /** Told, once there is a reader or room again, how many lines were lost since the last time. */
  readonly onRecovered: (lost: number) => void;
  /** How many bytes wait for a reader. Default 256 KiB: what is written in a moment of trouble, and little memory. */
  readonly longestQueue?: number;
}

const retryMillis = 50;

/**
 * The log of a process whose answers are worth more than its log. A reader that has stopped (a pipe is full after
 * 64 KiB) makes lines wait, and then be lost; a full disk makes them be lost at once. Neither stops or ends the process,
 * and once it is over a line says how many are missing.
 */
export function createLogWriter(options: LogWriterOptions): LogWriter {
  const { put, clock, onLost, onRecovered, longestQueue = 262_144 } = options;
  const waiting: Buffer[] = [];
  let waitingBytes = 0;
  let lost = 0;
  /** The last thing that reached the reader is half a line. */
  let isTorn = false;
  let retrying = false;

  function lose(): void {
    lost += 1;
    onLost();
  }

  /** What of these bytes is still to be written; empty when they are written, or lost. */
  function attempt(bytes: Buffer): Buffer {
    let rest = bytes;
    try {
      while (rest.length > 0) {
        const taken = put(rest);
        if (taken > 0) isTorn = taken < rest.length;
        rest = rest.subarray(taken);
      }
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return rest;
      lose();
      return Buffer.alloc(0);
    }
    return rest;
  }

  /** Whether nothing waits any more. */
  function drain(): boolean {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      waitingBytes -= next.length;
      const rest = attempt(next);
      if (rest.length === 0) continue;
      waiting.unshift(rest);
      waitingBytes += rest.length;
      return false;
    }
    return true;
  }

  function retryLater(): void {
    if (retrying) return;
    retrying = true;
    clock.setTimer(retryMillis, () => {
      retrying = false;
      const lostBefore = lost;
      if (!drain()) retryLater();
      else if (lost === lostBefore) reportLoss();
    });
  }

  function reportLoss(): void {
    if (lost === 0) return;
    const count = lost;
    lost = 0;
    onRecovered(count);
    // That line was lost, too: all is said the next time.
    if (lost > 0) lost += count;
  }

  function write(line: string): void {
    // Half a line, whose other half is lost, must not take the next one with it.
    const bytes = Buffer.from(isTorn && waiting.length === 0 ? `\n${line}` : line);
    if (waiting.length > 0) {
      if (waitingBytes + bytes.length > longestQueue) {
        lose();
        return;
      }
      waiting.push(bytes);
      waitingBytes += bytes.length;
      return;
    }
    const lostBefore = lost;
    const rest = attempt(bytes);
    if (rest.length > 0) {
      waiting.push(rest);
      waitingBytes += rest.length;
      retryLater();
    } else if (lost === lostBefore) {
      reportLoss();
    }
  }

  return {
    write,
    flush() {
      drain();
    },
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
