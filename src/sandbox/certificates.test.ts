import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { checkServerIdentity, connect, createServer, type TLSSocket } from 'node:tls';
import { systemClock } from '../base/clock.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom, systemRandom } from '../base/random.ts';
import { type Certificates, type CertifiedKey, createCertificates } from './certificates.ts';

const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

describe('createCertificates', () => {
  let made: Certificates;
  let others: Certificates;

  before(async () => {
    const options = { clock: systemClock, random: systemRandom, validDays: 2 };
    const serverNames = ['podpass-server', 'localhost', '127.0.0.1', '::1'];
    made = await createCertificates({ ...options, serverNames });
    others = await createCertificates({ ...options, serverNames });
  });

  it('signs both with one CA, whose key cannot sign another CA', () => {
    const ca = new X509Certificate(made.ca);
    assert.equal(ca.ca, true);
    assert.ok(ca.verify(ca.publicKey));
    for (const { cert } of [made.server, made.agent]) {
      const leaf = new X509Certificate(cert);
      assert.equal(leaf.ca, false);
      assert.ok(leaf.checkIssued(ca));
      assert.ok(leaf.verify(ca.publicKey));
      assert.ok(!leaf.verify(new X509Certificate(others.ca).publicKey));
    }
  });

  it('gives each certificate its own key, on the curve P-256', () => {
    for (const { cert, key } of [made.server, made.agent]) {
      const privateKey = createPrivateKey(key);
      assert.ok(new X509Certificate(cert).checkPrivateKey(privateKey));
      assert.equal(privateKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    }
    assert.ok(!new X509Certificate(made.server.cert).checkPrivateKey(createPrivateKey(made.agent.key)));
  });

  it('lets the server’s certificate serve and call, and the agent’s only call', () => {
    assert.deepEqual(new X509Certificate(made.server.cert).keyUsage, [serverAuth, clientAuth]);
    assert.deepEqual(new X509Certificate(made.agent.cert).keyUsage, [clientAuth]);
  });

  it('is for the names given', () => {
    const server = new X509Certificate(made.server.cert);
    assert.equal(
      server.subjectAltName,
      'DNS:podpass-server, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    assert.equal(server.checkHost('podpass-server'), 'podpass-server');
    assert.equal(server.checkHost('elsewhere'), undefined);
    assert.equal(server.checkIP('127.0.0.1'), '127.0.0.1');
    assert.equal(server.checkIP('127.0.0.2'), undefined);
  });

  it('is valid from a little before now for as many days as asked', async () => {
    const clock = createFakeClock(Date.parse('2026-03-01T12:00:00Z'));
    const options = { clock, random: createSeededRandom(1), serverNames: ['localhost'], validDays: 10 };
    const { ca, server, agent } = await createCertificates(options);
    for (const cert of [ca, server.cert, agent.cert]) {
      const { validFrom, validTo } = new X509Certificate(cert);
      assert.equal(new Date(validFrom).toISOString(), '2026-03-01T11:55:00.000Z');
      assert.equal(new Date(validTo).toISOString(), '2026-03-11T12:00:00.000Z');
    }
  });

  it('numbers each certificate differently', () => {
    const serials = [made.ca, made.server.cert, made.agent.cert, others.ca].map(
      (cert) => new X509Certificate(cert).serialNumber,
    );
    assert.equal(new Set(serials).size, 4);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  });

  it('needs a name for the server', async () => {
    const options = { clock: systemClock, random: systemRandom, serverNames: [], validDays: 1 };
    await assert.rejects(createCertificates(options), { code: 'ERR_SANDBOX', message: /at least one name/ });
  });

  describe('in a TLS handshake', () => {
    it('brings both sides together under a name and under addresses', async () => {
      for (const name of ['localhost', 'podpass-server', '127.0.0.1']) {
        const got = await handshake({ server: made.server, client: made.agent, ca: made.ca, name });
        assert.deepEqual(got, { agentName: 'podpass-agent', protocol: 'TLSv1.3' });
      }
    });

    it('lets the server’s own certificate call, as kiam’s health probe does', async () => {
      const got = await handshake({
        server: made.server,
        client: made.server,
        ca: made.ca,
        name: 'localhost',
      });
      assert.equal(got.agentName, 'podpass-server');
    });

    it('fails for a name that the server does not have', async () => {
      const options = { server: made.server, client: made.agent, ca: made.ca, name: 'elsewhere.example' };
      await assert.rejects(handshake(options), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    });

    it('fails when the agent’s certificate poses as a server', async () => {
      const options = { server: made.agent, client: made.agent, ca: made.ca, name: 'podpass-agent' };
      await assert.rejects(handshake(options), { code: 'INVALID_PURPOSE' });
    });

    it('fails between strangers, on either side', async () => {
      const name = 'localhost';
      const strangeServer = { server: others.server, client: made.agent, ca: made.ca, name };
      await assert.rejects(handshake(strangeServer), { code: /UNABLE_TO_VERIFY|SELF_SIGNED|CERT_SIGNATURE/ });
      const strangeClient = { server: made.server, client: others.agent, ca: made.ca, name };
      await assert.rejects(handshake(strangeClient), { code: 'ECONNRESET' });
    });
  });
});

interface Handshake {
  readonly server: CertifiedKey;
  readonly client: CertifiedKey;
  readonly ca: string;
  readonly name: string;
}

/** Shakes hands over loopback, both sides demanding certificates; then one byte each way. */
async function handshake({ server, client, ca, name }: Handshake) {
  const listener = createServer({ ...server, ca, requestCert: true, rejectUnauthorized: true }, (socket) => {
    socket.on('error', () => {});
    socket.end(String(socket.getPeerCertificate().subject.CN));
  });
  // In TLS 1.3 a client is done before the server has looked at its certificate: then the refusal is the server's.
  let refusal: Error | undefined;
  listener.on('tlsClientError', (error) => {
    refusal = error;
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  let socket: TLSSocket | undefined;
  try {
    return await new Promise<{ agentName: string; protocol: string | null }>((resolve, reject) => {
      socket = connect({
        host: '127.0.0.1',
        port,
        ...client,
        ca,
        checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
      });
      let agentName = '';
      let protocol: string | null = null;
      socket.once('secureConnect', () => {
        protocol = socket?.getProtocol() ?? null;
      });
      socket.setEncoding('utf8').on('data', (text) => {
        agentName += text;
      });
      socket.once('error', reject);
      socket.once('end', () => (agentName ? resolve({ agentName, protocol }) : reject(refusal)));
    });
  } finally {
    socket?.destroy();
    await new Promise((resolve) => listener.close(resolve));
  }
}
