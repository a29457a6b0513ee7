import { connect } from 'node:net';

/** One answer, as it stood on the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A client that sends the bytes it is told to, for what no HTTP library can be brought to send. */
export interface RawClient {
  send(bytes: string): void;
  /** The next answer. `head`: it has no body, whatever its length says. Rejects if the connection ends before. */
  receive(options?: { readonly head?: boolean }): Promise<RawAnswer>;
  /** Resolves when the server has closed the connection, with what had come and was not received. */
  readonly closed: Promise<string>;
  /** Resolves when the first bytes have come. */
  readonly begun: Promise<void>;
  /** Reads no more. */
  pause(): void;
  /** Sends no more, and goes on reading. */
  end(): void;
  close(): void;
}

export interface RawTarget {
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** The client's own address. Any of 127.0.0.0/8 will do on Linux: so one machine plays many pods. */
  readonly from?: string;
}

export function connectRaw({ port, host = '127.0.0.1', from }: RawTarget): RawClient {
  const socket = connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) });
  socket.setEncoding('latin1');
  let buffer = '';
  let ended = false;
  let wake = () => {};
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  socket.on('data', (chunk: string) => {
    buffer += chunk;
    begin();
    wake();
  });
  const closed = new Promise<string>((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => {
      ended = true;
      wake();
      resolve(buffer);
    });
  });

  async function until(test: () => boolean): Promise<void> {
    while (!test()) {
      if (ended) throw new Error(`the connection ended after ${JSON.stringify(buffer)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    send: (bytes) => socket.write(bytes, 'latin1'),
    async receive({ head = false } = {}) {
      await until(() => buffer.includes('\r\n\r\n'));
      const end = buffer.indexOf('\r\n\r\n');
      const [statusLine = '', ...lines] = buffer.slice(0, end).split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => {
          const colon = line.indexOf(':');
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
        }),
      );
      const length = head ? 0 : Number(headers['content-length'] ?? 0);
      await until(() => buffer.length >= end + 4 + length);
      const body = buffer.slice(end + 4, end + 4 + length);
      buffer = buffer.slice(end + 4 + length);
      return { status: Number(statusLine.split(' ')[1]), headers, body };
    },
    closed,
    begun,
    pause: () => socket.pause(),
    end: () => socket.end(),
    close: () => socket.destroy(),
  };
}
