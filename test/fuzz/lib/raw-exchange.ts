import { connect } from 'node:net';

export interface RawExchange {
  /** All that came back, each byte a character. */
  readonly text: string;
  /** The connection was reset: what was written before may have been lost on the way. */
  readonly reset: boolean;
  /** It was not closed within the time allowed. */
  readonly open: boolean;
}

export interface RawExchangeOptions {
  readonly port: number;
  readonly from?: string;
  /** The longest that it may take. Default 10 s: a busy machine may stand still for a while. */
  readonly waitMillis?: number;
  /** When to say that no more is sent: at once (the default), never, or after so many milliseconds. */
  readonly end?: 'at-once' | 'never' | number;
}

/** Sends bytes over a connection of its own, and reads until the other side closes it. Loopback only. */
export function exchangeRaw(bytes: Uint8Array, options: RawExchangeOptions): Promise<RawExchange> {
  const { port, from, waitMillis = 10_000, end = 'at-once' } = options;
  const { promise, resolve } = Promise.withResolvers<RawExchange>();
  const socket = connect({ host: '127.0.0.1', port, ...(from !== undefined && { localAddress: from }) });
  let text = '';
  let reset = false;
  let open = false;
  const timer = setTimeout(() => {
    open = true;
    socket.destroy();
  }, waitMillis);
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => {
    reset = true;
  });
  socket.on('close', () => {
    clearTimeout(timer);
    resolve({ text, reset, open });
  });
  socket.write(bytes);
  if (end === 'at-once') socket.end();
  else if (end !== 'never') setTimeout(() => socket.end(), end);
  return promise;
}
