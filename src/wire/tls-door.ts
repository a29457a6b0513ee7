import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { handshakeFault } from './handshake-fault.ts';
import type { ReportHandshake } from './handshake-report.ts';
import type { TlsMaterial } from './tls.ts';

/** The certificates of a server, as they are at any moment. */
export interface ServerTls {
  readonly current: TlsMaterial;
  /** Calls back when the set in use was replaced. Returns how to end that. */
  onReplaced(listener: (material: TlsMaterial) => void): () => void;
}

export interface TlsDoor {
  /** Takes a fresh TCP connection; hands it on once its handshake is good. */
  admit(raw: Socket): void;
  close(): void;
}

/** As grpc-go has it for a whole connection. Node would wait two minutes. Milliseconds. */
const handshakeMillis = 20_000;

/**
 * The TLS of a server, in front of grpc-js and not in it: only here can it be seen why a handshake failed. Every client
 * must show a certificate of a trusted authority that is fit for clients; OpenSSL and Node refuse the others by
 * themselves, before anybody here sees a connection.
 */
export function createTlsDoor(
  tls: ServerTls,
  onSecure: (socket: TLSSocket) => void,
  report: ReportHandshake,
): TlsDoor {
  /** A socket that is gone does not tell its address any more. */
  const addresses = new WeakMap<TLSSocket, string>();
  const server = createServer({
    ...contextOf(tls.current),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: handshakeMillis,
    // Node calls this as a method of the connection. That is not in its manual: should it ever change, log lines lack
    // the address and `tls-door.test.ts` fails. Nothing else depends on it.
    ALPNCallback(this: unknown, { protocols }) {
      const socket = this as TLSSocket;
      const address = socket?.remoteAddress;
      if (address !== undefined) addresses.set(socket, plainAddress(address));
      return protocols.includes('h2') ? 'h2' : undefined;
    },
  });
  const unsubscribe = tls.onReplaced((material) => server.setSecureContext(contextOf(material)));

  server.on('secureConnection', (socket) => {
    // Otherwise a connection that breaks would be an uncaught error.
    socket.on('error', () => {});
    if (socket.alpnProtocol === 'h2') {
      onSecure(socket);
      return;
    }
    report({ fault: 'no-http2', address: addressOf(socket) });
    socket.destroy();
  });
  server.on('tlsClientError', (error, socket) => {
    const code = 'code' in error ? { code: String(error.code) } : {};
    report({ fault: handshakeFault(error, socket), address: addressOf(socket), ...code });
    socket.destroy();
  });

  function addressOf(socket: TLSSocket): string | undefined {
    return socket.remoteAddress === undefined ? addresses.get(socket) : plainAddress(socket.remoteAddress);
  }

  return {
    admit: (raw) => server.emit('connection', raw),
    close: unsubscribe,
  };
}

function contextOf({ cert, key, ca }: TlsMaterial) {
  // Without tickets each connection shows its certificate again, to the authorities trusted by then.
  return { cert, key, ca, secureOptions: constants.SSL_OP_NO_TICKET };
}

/** A server that listens on both families sees IPv4 addresses inside IPv6 ones. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
