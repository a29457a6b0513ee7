import type { Clock } from '../../base/clock.ts';
import type { StreamEnd, StreamItem } from '../connection.ts';

/** The sending half of a fake watch. What is sent after its end is lost, as on a real connection. */
export interface FakeStream {
  send(line: unknown): void;
  end(end: StreamEnd): void;
  readonly ended: boolean;
  /** The receiving half, once. */
  items(options: FakeStreamOptions): AsyncGenerator<StreamItem, void, undefined>;
}

export interface FakeStreamOptions {
  readonly clock: Clock;
  readonly silenceMillis: number;
  readonly signal: AbortSignal;
}

/** A watch without a network: the same items and ends that `readStream` brings, on the clock it is given. */
export function createFakeStream(): FakeStream {
  const queue: StreamItem[] = [];
  let ended = false;
  let wake = () => {};

  function put(item: StreamItem): void {
    if (ended) return;
    ended = item.kind === 'end';
    queue.push(item);
    wake();
  }

  return {
    send: (line) => put({ kind: 'object', value: structuredClone(line) }),
    end: (end) => put({ kind: 'end', end, message: `the fake ended the stream: ${end}` }),
    get ended() {
      return ended;
    },
    async *items({ clock, silenceMillis, signal }) {
      const onAbort = () => wake();
      signal.addEventListener('abort', onAbort);
      try {
        for (;;) {
          signal.throwIfAborted();
          const item = queue.shift();
          if (item) {
            yield item;
            if (item.kind === 'end') return;
            continue;
          }
          const { promise, resolve } = Promise.withResolvers<void>();
          wake = resolve;
          const timer = clock.setTimer(silenceMillis, () =>
            put({ kind: 'end', end: 'silent', message: 'silence' }),
          );
          await promise;
          timer.cancel();
        }
      } finally {
        ended = true;
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}
