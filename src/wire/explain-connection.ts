import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import type { ServerAddress } from './server-addresses.ts';
import type { TlsMaterial } from './tls.ts';

/** Tries a connection by itself and says, in one line, what is wrong with it; `undefined` where nothing is. */
export type ExplainConnection = (server: ServerAddress, signal: AbortSignal) => Promise<string | undefined>;

/** Handshake, and time for the server to say no after it, as TLS 1.3 has it. Milliseconds. */
const tryMillis = 1_000;

/**
 * Why a server cannot be spoken to. grpc-js gives a text of OpenSSL's or none; this makes one connection of its own,
 * with the same certificates, and looks at it. Nothing is ever sent over it. For use once a call has failed.
 */
export function createExplainConnection(
  certificates: { readonly current: TlsMaterial },
  clock: Clock,
): ExplainConnection {
  return async (server, signal) => {
    const outcome = await bounded(clock, tryMillis, signal, (both) =>
      tryOnce(server, certificates.current, both),
    );
    return outcome.kind === 'done' ? outcome.value : `it did not answer within ${tryMillis} ms`;
  };
}

function tryOnce(
  { host, ip, port }: ServerAddress,
  { cert, key, ca }: TlsMaterial,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let isSecure = false;
    // Everything is let through here and looked at: the connection is closed without a byte having been sent.
    const socket = connect({
      host: ip,
      port,
      servername: /^[\d.]+$|:/.test(host) ? '' : host,
      cert,
      key,
      ca,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    function settle(fault: string | undefined): void {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(fault);
    }
    const onAbort = () => settle(undefined);
    signal.addEventListener('abort', onAbort, { once: true });

    socket.once('secureConnect', () => {
      isSecure = true;
      const fault = certificateFault(socket, host);
      if (fault !== undefined) settle(fault);
      else if (socket.alpnProtocol !== 'h2')
        settle('it speaks TLS but not HTTP/2: look whether this is the gRPC port');
    });
    // A gRPC server speaks first. It has then taken this side's certificate.
    socket.once('data', () => settle(undefined));
    socket.once('error', (error) => settle(transportFault('code' in error ? String(error.code) : '')));
    socket.once('close', () =>
      settle(isSecure ? refusedUs : 'it closed the connection during the TLS handshake'),
    );
  });
}

/** What is wrong with the server's certificate. */
function certificateFault(socket: TLSSocket, host: string): string | undefined {
  // A code, whatever the types say.
  const code = socket.authorizationError as unknown as string | null | undefined;
  if (socket.authorized && !code) return undefined;
  const certificate = socket.getPeerCertificate();
  const named = nameOf(certificate);
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is for ${namesIn(certificate)} and not for ${host}. Issue it with that name, or use one of its names in --server-address`;
    case 'CERT_HAS_EXPIRED':
      return `the certificate of the server (${named}), or the authority above it, has expired: ${certificate.valid_to}. Issue a new one`;
    case 'CERT_NOT_YET_VALID':
      return `the certificate of the server (${named}) is not valid before ${certificate.valid_from}. Look at the clocks of both hosts`;
    case 'INVALID_PURPOSE':
      return `the certificate of the server (${named}) is not for servers. Issue it with the extended key usage serverAuth ("server auth")`;
    default:
      return `the certificate of the server (${named}) does not come from an authority in --ca. Add its authority there, or give the server one of those`;
  }
}

const refusedUs =
  'it takes the connection and then closes it: it does not accept this certificate. It must come from an authority in ' +
  '--ca of the server, be for clients (clientAuth) and be valid; the log of the server says which';

function transportFault(code: string): string {
  // An alert: the server's word about this side.
  if (code.includes('_ALERT_')) return alertFaults[code] ?? refusedUs;
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there (connection refused). Look whether the server runs, and whether it is the right port';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to it (${code}). Look at network policies and routes`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_BAD_RECORD_TYPE':
    case 'ERR_SSL_UNEXPECTED_MESSAGE':
      return 'what listens there does not speak TLS. Look whether it is the right port';
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_VERSION_TOO_LOW':
      return 'it speaks no TLS of version 1.2 or later';
    default:
      return `the connection fails (${code || 'for no known reason'})`;
  }
}

const alertFaults: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it wants another version of TLS than 1.2 and 1.3',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
    'it speaks TLS but not HTTP/2: look whether this is the gRPC port',
  ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR: 'it has a fault of its own in the handshake; its log may say which',
};

function nameOf({ subject }: PeerCertificate): string {
  return clean(subject?.CN ? `CN=${[subject.CN].flat().join(',')}` : 'without a name');
}

function namesIn({ subjectaltname }: PeerCertificate): string {
  return clean(subjectaltname?.replaceAll('IP Address:', '').replaceAll('DNS:', '') || 'no name at all');
}

/** The other side writes these. */
function clean(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
}
