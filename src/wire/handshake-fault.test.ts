import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type HandshakeFault, handshakeFault } from './handshake-fault.ts';

// What Node's own client never does, or cannot be made to do quickly. The rest is in `tls-door.test.ts`.
const cases: [code: string, verification: string | null, fault: HandshakeFault][] = [
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', null, 'server-not-trusted'],
  ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', null, 'server-not-trusted'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', null, 'timeout'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', null, 'not-tls'],
  ['ECONNRESET', 'CERT_REVOKED', 'unknown-authority'],
  ['ERR_SSL_STRANGE', null, 'other'],
];
for (const [code, verification, fault] of cases) {
  it(`reads ${verification ?? code} as ${fault}`, () => {
    const socket = { authorizationError: verification as unknown as Error };
    assert.equal(handshakeFault(Object.assign(new Error('x'), { code }), socket), fault);
  });
}
