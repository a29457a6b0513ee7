import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCertificateProvider } from './certificate-provider.ts';
import type { TlsMaterial } from './tls.ts';

function material(name: string): TlsMaterial {
  const [cert, key, ca] = ['cert', 'key', 'ca'].map((part) => Buffer.from(`${part} ${name}`));
  assert.ok(cert && key && ca);
  return { cert, key, ca, expires: 0, begins: 0, signedByOwnAuthority: true };
}

/** What a listener was told, as text. */
function createListeners() {
  const told: string[] = [];
  return {
    told,
    onCa: (update: { caCertificate: Buffer } | null) => void told.push(String(update?.caCertificate)),
    onIdentity: (update: { certificate: Buffer; privateKey: Buffer } | null) =>
      void told.push(`${update?.certificate}, ${update?.privateKey}`),
  };
}

describe('the provider of certificates', () => {
  it('tells a new listener of the set in use, and not before the listener has been added', async () => {
    const provider = createCertificateProvider(material('1'));
    const { told, onCa, onIdentity } = createListeners();
    provider.addCaCertificateListener(onCa);
    provider.addIdentityCertificateListener(onIdentity);
    assert.deepEqual(told, []);
    await Promise.resolve();
    assert.deepEqual(told, ['ca 1', 'cert 1, key 1']);
  });

  it('tells every listener of a new set, and later ones of nothing else', async () => {
    const provider = createCertificateProvider(material('1'));
    const [one, two] = [createListeners(), createListeners()];
    provider.addIdentityCertificateListener(one.onIdentity);
    await Promise.resolve();
    provider.set(material('2'));
    provider.addIdentityCertificateListener(two.onIdentity);
    await Promise.resolve();
    assert.deepEqual(one.told, ['cert 1, key 1', 'cert 2, key 2']);
    assert.deepEqual(two.told, ['cert 2, key 2']);
  });

  it('tells the authorities before the certificate that comes from them', async () => {
    const provider = createCertificateProvider(material('1'));
    const { told, onCa, onIdentity } = createListeners();
    provider.addIdentityCertificateListener(onIdentity);
    provider.addCaCertificateListener(onCa);
    await Promise.resolve();
    told.length = 0;
    provider.set(material('2'));
    assert.deepEqual(told, ['ca 2', 'cert 2, key 2']);
  });

  it('tells nothing to who has left, not even what was under way', async () => {
    const provider = createCertificateProvider(material('1'));
    const { told, onCa, onIdentity } = createListeners();
    provider.addCaCertificateListener(onCa);
    provider.addIdentityCertificateListener(onIdentity);
    provider.removeCaCertificateListener(onCa);
    provider.removeIdentityCertificateListener(onIdentity);
    await Promise.resolve();
    provider.set(material('2'));
    assert.deepEqual(told, []);
  });
});
