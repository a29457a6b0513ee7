import type { TLSSocket } from 'node:tls';

/** Why a client was not let in. The label of `podpass_tls_handshakes_refused_total`. */
export const handshakeFaults = {
  'no-certificate':
    'it shows no certificate. Give the client --cert and --key from an authority in --ca of this server',
  'unknown-authority':
    'its certificate does not come from an authority in --ca of this server. Issue it from one of those, or add its authority to --ca here',
  expired: 'its certificate, or the authority above it, has expired. Issue a new one',
  'not-yet-valid': 'its certificate is not valid yet. Are the clocks of both hosts right?',
  'wrong-usage':
    'its certificate is not for clients. Issue it with the extended key usage clientAuth ("client auth")',
  'not-tls': 'it does not speak TLS. Agents and probes must be given --cert, --key and --ca',
  'protocol-too-old': 'it speaks no TLS of version 1.2 or later, or shares no cipher. Update the client',
  'no-http2': 'it does not offer HTTP/2 (ALPN h2), so it is no gRPC client',
  'server-not-trusted':
    'it does not accept the certificate of this server. Look at --ca and --server-address of the client, and at the names in --cert here',
  timeout: 'it did not finish the handshake in time',
  'gave-up':
    'it closed the connection before the handshake was done: a probe of the port, or a client that does not accept the certificate of this server',
  other: 'the handshake failed',
} as const;

export type HandshakeFault = keyof typeof handshakeFaults;

/** Codes of OpenSSL, as Node gives them, in the pinned version; `tls-door.test.ts` makes each happen. */
const faultsByCode: Readonly<Record<string, HandshakeFault>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'no-certificate',
  ERR_SSL_HTTP_REQUEST: 'not-tls',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'not-tls',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-tls',
  ERR_SSL_BAD_RECORD_TYPE: 'not-tls',
  ERR_SSL_UNEXPECTED_MESSAGE: 'not-tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'protocol-too-old',
  ERR_SSL_VERSION_TOO_LOW: 'protocol-too-old',
  ERR_SSL_NO_SHARED_CIPHER: 'protocol-too-old',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'no-http2',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ECONNRESET: 'gave-up',
  EPIPE: 'gave-up',
};

/** What OpenSSL says of a client's certificate. Everything else is about where it comes from. */
const faultsByVerification: Readonly<Record<string, HandshakeFault>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  INVALID_PURPOSE: 'wrong-usage',
};

/** Reads the reason out of what `tlsClientError` gives: codes only, never texts. */
export function handshakeFault(error: Error, socket: Pick<TLSSocket, 'authorizationError'>): HandshakeFault {
  // A code, whatever the types say; null while the certificate has not been looked at.
  const verification = socket.authorizationError as unknown as string | null | undefined;
  if (verification) return faultsByVerification[verification] ?? 'unknown-authority';
  const code = 'code' in error ? String(error.code) : '';
  // An alert is the other side's word: it looked at the certificate of this server.
  if (code.includes('_ALERT_')) return 'server-not-trusted';
  return faultsByCode[code] ?? 'other';
}
