import type { Socket } from 'node:net';

/** What Node's HTTP server hangs on a socket. It is not documented, so nothing relies on it being there. */
interface ParsedSocket extends Socket {
  readonly parser?: { onIncoming?: () => number } | null;
}

/** What Node's own code answers its parser when the bytes behind a request are not HTTP any more (an upgrade). */
const notHttpAnyMore = 2;

/**
 * Destroys a connection from within the handler of one of its requests, and has no more made of the bytes that came
 * with that. Destroying alone stops nothing: Node makes a request and an answer of each further line, thousands for
 * 64 KiB, and keeps all of them until it is done with every other connection that has something to read. A pod could
 * have gigabytes taken that way.
 */
export function stopParsing(socket: Socket): void {
  const { parser } = socket as ParsedSocket;
  if (parser) parser.onIncoming = () => notHttpAnyMore;
  socket.destroy();
}
