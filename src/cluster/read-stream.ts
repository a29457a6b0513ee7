import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.ts';
import type { StreamEnd, StreamItem } from './connection.ts';
import { describeNetworkError } from './http-client.ts';
import { createJsonLineReader } from './json-lines.ts';

export interface ReadStreamOptions {
  readonly response: IncomingMessage;
  readonly clock: Clock;
  /** Without a byte for so long, the stream ends as `silent`. */
  readonly silenceMillis: number;
  readonly maxLineBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Reads a watch's answer line by line, as fast as the reader takes the lines and no faster. Silence is measured from
 * the moment of the call, so a stream that nobody reads ends too. However it ends, the connection is freed.
 */
export function readStream(options: ReadStreamOptions): AsyncGenerator<StreamItem, void, undefined> {
  const { response, clock, silenceMillis } = options;
  let lastByte = clock.monotonic();
  let silent = false;
  // One timer that looks back, instead of one that is set anew for each chunk.
  let timer = clock.setTimer(silenceMillis, checkSilence);

  function checkSilence(): void {
    const left = lastByte + silenceMillis - clock.monotonic();
    if (left > 0) {
      timer = clock.setTimer(left, checkSilence);
      return;
    }
    silent = true;
    response.destroy();
  }

  return pump(options, {
    touch: () => {
      lastByte = clock.monotonic();
    },
    isSilent: () => silent,
    stop: () => timer.cancel(),
  });
}

interface SilenceGuard {
  touch(): void;
  isSilent(): boolean;
  stop(): void;
}

async function* pump(
  { response, silenceMillis, maxLineBytes, signal }: ReadStreamOptions,
  guard: SilenceGuard,
): AsyncGenerator<StreamItem, void, undefined> {
  const reader = createJsonLineReader(maxLineBytes);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      guard.touch();
      const { objects, fault } = reader.push(chunk);
      for (const value of objects) yield { kind: 'object', value };
      if (fault === 'malformed') return yield endOf('malformed', 'a line of the watch is not JSON');
      if (fault) return yield endOf(fault, `a line of the watch is longer than ${maxLineBytes} bytes`);
    }
    // Destroying a response that has not begun to fail ends the loop without an error.
    signal.throwIfAborted();
    if (guard.isSilent()) yield silence(silenceMillis);
    else if (reader.partial) yield endOf('lost', 'the watch was cut within a line');
    else yield endOf('closed', 'the API server closed the watch');
  } catch (thrown) {
    signal.throwIfAborted();
    yield guard.isSilent()
      ? silence(silenceMillis)
      : endOf('lost', `the watch broke: ${describeNetworkError(thrown)}`);
  } finally {
    guard.stop();
    response.destroy();
  }
}

function silence(millis: number): StreamItem {
  return endOf('silent', `nothing came from the API server for ${Math.round(millis / 1_000)} s`);
}

function endOf(end: StreamEnd, message: string): StreamItem {
  return { kind: 'end', end, message };
}
