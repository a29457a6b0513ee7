import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';

/** What became of a call: gRPC's status, an HTTP status that is not 200, `reset`, or `silent` when nothing came in time. */
export interface CallOutcome {
  readonly status: number | string;
  readonly message: string;
  /** All bytes that came. */
  readonly body: Buffer;
}

export function openSession(port: number): ClientHttp2Session {
  return connect(`http://127.0.0.1:${port}`).on('error', () => {});
}

/** Opens one call with these bytes for its messages. Never rejects. */
export function callRaw(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  bytes: Uint8Array,
  waitMillis: number,
): Promise<CallOutcome> {
  const { promise, resolve } = Promise.withResolvers<CallOutcome>();
  const chunks: Buffer[] = [];
  let message = '';
  const finish = (status: number | string) => {
    clearTimeout(timer);
    resolve({ status, message, body: Buffer.concat(chunks) });
  };
  const all = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers', ...headers };
  const timer = setTimeout(() => {
    stream?.close(8);
    finish('silent');
  }, waitMillis);
  let stream: ReturnType<ClientHttp2Session['request']> | undefined;
  try {
    stream = session.request(all);
  } catch {
    // No client can send such headers.
    finish('unsent');
    return promise;
  }
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('response', (head) => {
    message = String(head['grpc-message'] ?? '');
    if (head[':status'] !== 200) finish(`HTTP ${head[':status']}`);
    else if (head['grpc-status'] !== undefined) finish(Number(head['grpc-status']));
  });
  stream.on('trailers', (trailers) => {
    message = String(trailers['grpc-message'] ?? '');
    finish(Number(trailers['grpc-status']));
  });
  stream.on('close', () => finish('reset'));
  stream.end(bytes);
  return promise;
}

/** A message as gRPC frames it. */
export function framed(body: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}
