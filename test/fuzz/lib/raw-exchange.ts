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
  readonly waitMillis?: number;
}

/** Sends bytes over a connection of its own, sends no more, and reads until the other side closes it. Loopback only. */
export function exchangeRaw(bytes: Uint8Array, options: RawExchangeOptions): Promise<RawExchange> {
  const { port, from, waitMillis = 3_000 } = options;
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
  socket.end(bytes);
  return promise;
}
