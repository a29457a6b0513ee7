import type { Socket } from 'node:net';
import { serverName } from './reply.ts';

/**
 * Answers bytes that are not a request, or one that came too slowly, and closes the connection. What Node's parser
 * throws is told apart by its code.
 *
 * @param quiet nothing may be written: an earlier request's answer is still to come on this connection.
 */
export function answerClientError(error: { readonly code?: string }, socket: Socket, quiet: boolean): void {
  if (quiet || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, text] = statusOf(error.code);
  const body = `${text}\n`;
  const head = [
    `HTTP/1.1 ${status}`,
    `Server: ${serverName}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function statusOf(code: string | undefined): readonly [string, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'the request line and headers are too long.'];
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return ['413 Payload Too Large', 'requests to the metadata service have no body.'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'the request took too long to arrive.'];
    default:
      return ['400 Bad Request', 'this is not an HTTP request.'];
  }
}
