import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/** Standard error is written by its number: the stream of Node would keep what nobody reads, without end. */
const standardError = 2;

/**
 * Where the lines of a process go: writes bytes to standard error and says how many were taken. Where a pipe or a
 * socket takes none at the moment, it throws `EAGAIN` instead of waiting.
 *
 * A pipe is opened once more, so that not waiting is a property of this process's end alone: whoever shares the pipe
 * (a shell, another program of a pipeline) is not changed. Where that is not possible, the stream of Node sets it.
 */
export function openStandardError(): (bytes: Uint8Array) => number {
  const descriptor = notWaiting();
  return (bytes) => writeSync(descriptor, bytes);
}

function notWaiting(): number {
  try {
    const stat = fstatSync(standardError);
    // A file takes what it has room for, and a terminal has a person before it.
    if (!stat.isFIFO() && !stat.isSocket()) return standardError;
    return openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // A socket, a system without /proc, or a pipe of another user's. Being made is what sets it.
    void process.stderr;
    return standardError;
  }
}
